-- No claim or credit is allocated past its amount.
select item_id, item_number, amount, open_amount
from open_item
where amount * open_amount < 0
