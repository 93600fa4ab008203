"""The columns of a table of devices."""

from collections.abc import Collection
from typing import Protocol

from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from service.core.intake.target import Field, Values

KINDS = {
    "computer": (_l("Computer"), "Computer", "电脑", "计算机", "台式机"), "laptop": (_l("Laptop"), "Laptop", "笔记本", "笔记本电脑"), "server": (_l("Server"), "Server", "服务器"),
    "printer": (_l("Printer"), "Printer", "打印机"), "scanner": (_l("Scanner"), "Scanner", "扫描枪", "扫描仪"), "network": (_l("Network device"), "Network device", "网络设备", "交换机"),
    "other": (_l("Other"), "Other", "其他", "其它"),
}
STATES = {"normal": (_l("In order"), "In order", "正常", "normal"), "abnormal": (_l("Out of order"), "Out of order", "异常", "故障"), "repair": (_l("In repair"), "In repair", "维修中", "在修", "送修")}
FIELDS = (
    Field("party", _l("Customer"), must=True, also=("Customer", "客户", "客户名称", "客户编号", "使用单位", "单位", "company", "customer name", "customer number"), example="C-20077",
          note=_l("The customer's number, external account or exact name.")),
    Field("number", _l("Device number"), "code", longest=40, also=("Device number", "设备编号", "资产编号", "编号", "asset number", "number"), example="",
          note=_l("Leave it empty for a new device: a number is given. With it a device is recognised.")),
    Field("product", _l("Product"), "code", longest=120, also=("Product", "产品", "产品编号", "产品编码", "产品代码", "物料编码", "product code", "product number"), example="P-ZT411",
          note=_l("The product's code in the catalogue, or its name and model. Without it name and model together say which product it is, where the catalogue has it.")),
    Field("name", _l("Device"), longest=120, also=("Device", "设备名称", "设备", "名称", "品名", "device name", "name"), example="条码打印机", note=_l("May be empty where the product says it.")),
    Field("model", _l("Model"), longest=120, also=("Model", "型号", "规格型号", "设备型号"), example="Zebra ZT411"),
    Field("serial", _l("Serial number"), "code", longest=80, also=("Serial number", "序列号", "出厂编号", "机身号", "sn", "s/n", "serial", "serial no"), example="99J204501234",
          note=_l("By it and the customer a device is recognised in a second import. Format the column as text, or Excel drops digits.")),
    Field("kind", _l("Kind"), "choice", also=("Kind", "设备类型", "类型", "类别", "category", "type"), choices=KINDS, example="打印机"),
    Field("produced_on", _l("Produced on"), "day", also=("Produced on", "生产日期", "出厂日期", "production date", "manufactured"), example="2026-01-15"),
    Field("installed_on", _l("Installed on"), "day", also=("Installed on", "安装日期", "投用日期", "启用日期", "installation date", "install date"), example="2026-03-01"),
    Field("place", _l("Place"), longest=200, also=("Place", "安装位置", "安装地点", "位置", "地点", "存放地点", "location"), example="2 楼前台"),
    Field("department", _l("Department"), longest=100, also=("Department", "部门", "使用部门", "所属部门"), example="仓储部"),
    Field("holder", _l("Person using it"), longest=100, also=("Person using it", "使用人", "保管人", "责任人", "holder", "user"), example="王丽华"),
    Field("warranty_from", _l("Warranty from"), "day", also=("Warranty from", "质保开始", "保修开始", "质保起始日", "保修起始日期", "warranty start"), example="2026-03-01"),
    Field("warranty_until", _l("Warranty until"), "day", also=("Warranty until", "质保到期", "保修到期", "质保到期日", "保修截止日期", "保修期至", "warranty", "warranty end"), example="2027-02-28"),
    Field("state", _l("State"), "choice", also=("State", "状态", "设备状态", "status"), choices=STATES, example="正常"),
    Field("site", _l("Site number"), "code", longest=80, also=("Site number", "安装点编号", "站点编号", "点位编号", "安装点", "site"), example=""),
    Field("project", _l("Project number"), "code", longest=80, also=("Project number", "工程编号", "项目编号", "工程", "项目", "project"), example=""),
)
COLUMNS = {"name": "text", "model": "text", "serial": "text", "kind": "text", "place": "text", "department": "text", "holder": "text", "produced_on": "date", "installed_on": "date",
           "warranty_from": "date", "warranty_until": "date", "state": "text"}
LED = {"product": "product_id", "site": "site_id", "project": "project_id"}  # a row's word leads to an id
HELD = ("department", "holder", "place")  # who has it; the customer is what it was found by
STANDARD: Values = {"name": "", "model": "", "serial": "", "kind": "computer", "place": "", "department": "", "holder": "", "produced_on": None, "installed_on": None,
                    "warranty_from": None, "warranty_until": None, "state": "normal", "contact_id": None, "product_id": None, "site_id": None, "project_id": None}
TYPES = COLUMNS | {"number": "text", "party_id": "bigint", "contact_id": "bigint", "created_at": "timestamptz", "branch_id": "bigint", **dict.fromkeys(LED.values(), "bigint")}
SENTENCES = {
    "party_unknown": _l("No customer has this number or exact name. Import the customer first, or correct the name."),
    "party_several": _l("%(number)s customers have this name. Write the customer's number instead."),
    "serial_several": _l("%(number)s devices have this serial number. Give the device's number too."),
    "serial_taken": _l("%(device)s has this serial already. Correct the serial or the device's number."),
    "serial_missing": _l("Give a serial number or a device number, or a second import would make the device twice."),
    "serial_needed": _l("%(product)s is kept by serial. Fill in the serial."),
    "name_missing": _l("Give the device a name, or its product."),
    "product_unknown": _l("The catalogue has no product with this code or name. Add it under Products first, or correct it."),
    "product_several": _l("%(number)s products are called so. Write the product's code."),
    "device_elsewhere": _l("The device %(device)s with this number belongs to %(customer)s. Correct the customer or the number."),
    "device_retired": _l("Device %(device)s is retired. Bring it back first."),
    "warranty_days": _l("The warranty ends before it begins."),
    "site_unknown": _l("No site has this number."),
    "site_elsewhere": _l("This site is another customer's. Correct the site or the customer."),
    "project_unknown": _l("No project has this number."),
}


Spot = tuple[int, int | None, int | None]  # a site, its project and its customer


class Places(Protocol):
    """Sites and projects, which stand above devices: they are asked by number and say numbers."""

    def ids(self, session: Session, sites: Collection[str], projects: Collection[str]) -> tuple[dict[str, Spot], dict[str, int]]:
        """By number: each site with its project and customer, and each project."""

    def numbers(self, session: Session, sites: Collection[int], projects: Collection[int]) -> tuple[dict[int, str], dict[int, str]]:
        """By id the number of each site and of each project."""


class Nowhere:
    """No sites and no projects."""

    def ids(self, session: Session, sites: Collection[str], projects: Collection[str]) -> tuple[dict[str, Spot], dict[str, int]]:
        """Nothing has a number."""
        return {}, {}

    def numbers(self, session: Session, sites: Collection[int], projects: Collection[int]) -> tuple[dict[int, str], dict[int, str]]:
        """Nothing has a number."""
        return {}, {}


