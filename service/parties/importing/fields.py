"""The columns of a table of customers, and of a table of contacts."""

from typing import Any

from flask_babel import lazy_gettext as _l

from service.core.intake.target import Field, Values

KINDS = {"company": (_l("Company"), "Company", "公司", "单位", "企业"), "person": (_l("Individual"), "Individual", "Person", "个人")}
GRADES = {
    "standard": (_l("Standard"), "Standard", "普通", "标准"), "vip": (_l("VIP"), "VIP", "重要"), "gold": (_l("Gold"), "Gold", "金牌", "金"),
    "silver": (_l("Silver"), "Silver", "银牌", "银"), "contract": (_l("Contract"), "Contract", "合同", "签约"),
}
ROLES = {
    "customer": (_l("Customer"), "Customer", "客户"), "vendor": (_l("Supplier"), "Supplier", "Vendor", "供应商", "厂商"),
    "carrier": (_l("Carrier"), "Carrier", "承运商", "物流公司", "快递"), "repairer": (_l("Outside repairer"), "Outside repairer", "外修商", "委外维修商", "外部维修商"),
}
SETTLEMENTS = {"job": (_l("Per job"), "Per job", "按单", "按次", "单结"), "monthly": (_l("Monthly"), "Monthly", "月结", "按月")}
SEVERAL = _l("Several with a semicolon between them.")
PHONES = Field(
    "phones", _l("Telephone"), "phones", adds=True, example="13812341001；021-62345678", note=_l("Several numbers with a semicolon between them."),
    also=("Phone", "话机", "电话", "联系电话", "手机", "手机号", "电话号码", "phone number", "mobile", "tel", "telephone"),
)
TITLE = Field("title", _l("Position"), longest=100, also=("Position", "职务", "职位", "岗位", "title", "job title"), example="设备科长")
DEPARTMENT = Field("department", _l("Department"), longest=100, also=("Department", "部门", "所属部门", "联系人部门", "科室"), example="设备科", note=_l("Where the contact works; made when it is not there yet."))
MAILS = Field("mails", _l("Contact's e-mail"), "mails", adds=True, also=("Contact's e-mail", "联系人邮箱", "联系人邮件", "contact e-mail", "contact email"), example="wang@hengtong.example", note=SEVERAL)
PARTY = (
    Field("number", _l("Customer number"), "code", longest=80, also=("Customer number", "客户编号", "编号", "客户号", "客户代码", "number"), example="C-20077",
          note=_l("Leave it empty for a new customer: a number is given. With it a customer is recognised.")),
    Field("name", _l("Customer name"), must=True, also=("Customer name", "客户名称", "客户", "名称", "单位名称", "公司名称", "customer", "company", "name"), example="上海恒通物流有限公司"),
    Field("account", _l("External account"), "code", longest=80, also=("External account", "外部账号", "外部户号", "户号", "账号", "account", "account number"), example="H-300127",
          note=_l("Under which another system knows the customer. Without a number it is recognised by this.")),
    Field("book", _l("Book number"), "code", longest=80, also=("Book number", "册号", "账册号", "表册号", "book"), example="B-12"),
    Field("system", _l("External system"), longest=60, also=("External system", "外部系统", "来源系统", "系统", "system"), example="计费"),
    Field("kind", _l("Company or person"), "choice", also=("Company or person", "客户类型", "类型", "性质", "kind", "type"), choices=KINDS, example="公司"),
    Field("roles", _l("Roles"), "choices", also=("Roles", "角色", "往来角色", "往来类型", "role"), choices=ROLES, example="客户；供应商", note=SEVERAL),
    Field("category", _l("Category"), also=("Category", "客户分类", "客户类别", "分类", "类别"), example="企业 / 物流", note=_l("Its name, or its whole path with “/” between the levels.")),
    Field("grade", _l("Grade"), "choice", also=("Grade", "客户等级", "等级", "级别", "level"), choices=GRADES, example="普通"),
    Field("tags", _l("Tags"), "words", longest=30, adds=True, also=("Tags", "标签", "客户标签", "tag"), example="重点；年检", note=SEVERAL),
    Field("contact", _l("Contact"), longest=100, also=("Contact", "联系人", "联系人姓名", "contact person", "contact name"), example="王丽华"),
    TITLE, DEPARTMENT, PHONES, MAILS,
    Field("address", _l("Address"), longest=300, also=("Address", "地址", "客户地址", "联系地址"), example="上海市浦东新区张江路 88 号"),
    Field("email", _l("E-mail"), "mail", also=("E-mail", "email", "mail", "邮箱", "电子邮箱", "电子邮件"), example="it@hengtong.example"),
    Field("fax", _l("Fax"), longest=80, also=("Fax", "传真", "传真号"), example="021-62345679"),
    Field("web", _l("Website"), also=("Website", "网址", "网站", "主页", "web", "url"), example="hengtong.example"),
    Field("tax_number", _l("Tax number"), "code", longest=40, also=("Tax number", "税号", "纳税人识别号", "统一社会信用代码", "tax id"), example="91310115MA1K3T8R0X"),
    Field("credit_days", _l("Credit days"), "whole", also=("Credit days", "账期", "账期天数", "信用天数", "terms"), most=3650, example="30"),
    Field("credit_limit", _l("Credit limit"), "money", also=("Credit limit", "信用额度", "授信额度", "额度"), example="50000"),
    Field("settlement", _l("Settlement"), "choice", also=("Settlement", "结算方式", "结算", "结算周期"), choices=SETTLEMENTS, example="月结"),
    Field("settlement_day", _l("Settlement day"), "whole", also=("Settlement day", "结算日", "月结日", "对账日"), least=1, most=31, example="25"),
    Field("contract_number", _l("Contract number"), "code", longest=80, also=("Contract number", "合同编号", "合同号", "contract no"), example="HT-2026-031"),
    Field("contract_name", _l("Contract"), also=("Contract", "合同", "合同名称", "服务合同", "contract name"), example="年保"),
    Field("contract_from", _l("Contract from"), "day", also=("Contract from", "合同开始", "合同开始日", "合同起始日期", "合同生效日期", "contract start"), example="2026-07-01"),
    Field("contract_until", _l("Contract until"), "day", also=("Contract until", "合同到期", "合同到期日", "合同截止日期", "contract end"), example="2027-06-30"),
    Field("services", _l("Covered services"), "words", longest=300, also=("Covered services", "服务内容", "合同服务", "覆盖服务", "包含服务", "services"), example="上门维修；年度巡检", note=SEVERAL),
    Field("note", _l("Note"), longest=2000, also=("Note", "备注", "说明", "remark", "remarks", "notes"), example=""),
)
CUSTOMER = Field("party", _l("Customer"), must=True, also=("Customer", "客户", "客户名称", "客户编号", "单位", "公司", "company", "customer name", "customer number"), example="C-20077",
                 note=_l("The customer's number, external account or exact name."))
CONTACT = (
    CUSTOMER,
    Field("name", _l("Full name"), must=True, longest=100, also=("Full name", "姓名", "联系人", "联系人姓名", "name", "contact"), example="王丽华"),
    DEPARTMENT, TITLE, PHONES,
    Field("mails", _l("E-mail"), "mails", adds=True, also=("E-mail", "email", "mail", "邮箱", "电子邮箱", "电子邮件", *MAILS.also), example="wang@hengtong.example", note=SEVERAL),
)
SENTENCES: dict[str, Any] = {
    "party_unknown": _l("No customer has this number or exact name. Import the customer first, or correct the name."),
    "party_several": _l("%(number)s customers have this name. Write the customer's number instead."),
    "name_several": _l("%(number)s customers have this name. Give the customer's number, or a phone that one of them has."),
    "account_several": _l("%(number)s customers have this account. Give the customer's number too."),
    "category_unknown": _l("There is no such category. Make it under Customer categories first, or correct the name."),
    "category_several": _l("%(number)s categories have this name. Write the whole path, such as “企业 / 物流”."),
    "contact_missing": _l("Whose is it? Fill in the contact's name too."),
    "contract_days": _l("The contract ends before it begins. Correct one of the days."),
    "role_missing": _l("Choose at least one: customer, supplier, carrier or outside repairer."),
}
TWICE = _l("Row %(line)s of the file is the same customer already; that one counts. Bring further contacts of a customer with “Contacts”.")
COLUMNS = {"name": "text", "kind": "text", "grade": "text", "address": "text", "email": "text", "fax": "text", "web": "text", "tax_number": "text", "note": "text",
           "credit_days": "integer", "credit_limit": "numeric", "settlement": "text", "settlement_day": "integer"}
STANDARD: Values = {"kind": "company", "grade": "standard", "address": "", "email": "", "fax": "", "web": "", "tax_number": "", "note": "",
                    "credit_days": 30, "credit_limit": None, "settlement": "job", "settlement_day": None}
