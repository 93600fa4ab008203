-- Every fact belongs to a branch, or a reader's scope could not hold it.
select 'call' as fact, call_id as id from fact_call where branch_id not in (select branch_id from dim_branch) or branch_id is null
union all
select 'ticket' as fact, ticket_id as id from fact_ticket where branch_id not in (select branch_id from dim_branch) or branch_id is null
union all
select 'item' as fact, item_id as id from open_item where branch_id not in (select branch_id from dim_branch) or branch_id is null
union all
select 'stint' as fact, change_id as id from fact_agent_stint where branch_id not in (select branch_id from dim_branch) or branch_id is null
union all
select 'missed caller' as fact, caller_id as id from fact_missed_caller where branch_id not in (select branch_id from dim_branch) or branch_id is null
