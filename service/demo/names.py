"""Who works at the demo firm, and what its customers are called. All invented."""

PASSWORD = "ringdesk-demo"  # noqa: S105  of the demo alone, printed at its start
SWITCH = "pbx1"

BRANCHES = (("HQ", "总部", "Headquarters"), ("PD", "浦东", "Pudong"), ("SZ", "苏州", "Suzhou"))

BRANCH_FACTS = {
    "HQ": {"region": "上海", "hotline": "021 5080 0100", "address": "上海市浦东新区张江路 88 号"},
    "PD": {"region": "上海", "hotline": "021 5080 0100", "address": "上海市浦东新区金桥路 120 号"},
    "SZ": {"region": "江苏", "hotline": "021 5080 0101", "address": "苏州市工业园区星湖街 16 号"},
}

# branch, name, English name, the one above it, head, people
DEPARTMENTS = (
    ("HQ", "客服管理部", "Service management", "", "supervisor", ("supervisor", "manager")),
    ("HQ", "财务部", "Finance", "", "finance", ("finance",)),
    ("PD", "热线部", "Hotline", "", "supervisor", ("agent", "agent2")),
    ("PD", "维修部", "Repairs", "", "technician", ("technician", "technician2")),
    ("SZ", "热线部", "Hotline", "", "agent3", ("agent3", "agent4")),
    ("SZ", "维修部", "Repairs", "", "technician3", ("technician3", "technician4")),
)
# branch, department, team, leader, members
TEAMS = (("PD", "热线部", "早班组", "agent", ("agent", "agent2")), ("PD", "维修部", "上门组", "technician", ("technician", "technician2")))
# name, English name, begins, ends, break: minutes
SHIFTS = (("早班", "Early", 480, 960, 45), ("晚班", "Late", 780, 1260, 45), ("全天", "Day", 540, 1080, 60))

# username, name, branch, roles, reach, extension
PEOPLE = (
    ("agent", "陈思源", "PD", ("agent",), "all", "801"),
    ("agent2", "林浩", "PD", ("agent",), "all", "802"),
    ("agent3", "沈悦", "SZ", ("agent",), "all", "803"),
    ("agent4", "顾佳", "SZ", ("agent",), "all", "804"),
    ("supervisor", "赵敏", "HQ", ("supervisor",), "below", None),
    ("technician", "王强", "PD", ("technician",), "branch", None),
    ("technician2", "周凯", "PD", ("technician",), "branch", None),
    ("technician3", "罗成", "SZ", ("technician",), "branch", None),
    ("technician4", "丁一", "SZ", ("technician",), "branch", None),
    ("finance", "方菲", "HQ", ("finance",), "all", None),
    ("manager", "梅姐", "HQ", ("manager",), "all", None),
    ("admin", "系统管理员", "HQ", ("admin",), "all", None),
)

PLACES = {"PD": ("上海", "浦东", "张江", "金桥", "陆家嘴"), "SZ": ("苏州", "吴江", "昆山", "工业园区", "相城")}
TRADES = (
    "恒通物流",
    "华信医疗",
    "启明教育",
    "瑞丰酒店",
    "安达连锁",
    "博雅书店",
    "金穗食品",
    "远航货代",
    "新锐设计",
    "康宁诊所",
    "汇通会计",
    "锦绣纺织",
)
ENDINGS = ("有限公司", "股份有限公司", "商行", "中心")
SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗"
GIVEN = ("丽华", "建国", "晓明", "婷婷", "志强", "海燕", "文博", "雨桐", "国栋", "佳怡", "思远", "春梅")
TITLES = ("IT 主管", "行政", "店长", "财务", "仓库主管", "")

# name, model, kind
DEVICES = (
    ("条码打印机", "Zebra ZT411", "printer"),
    ("台式机", "ThinkCentre M75q", "computer"),
    ("扫描枪", "Honeywell 1950g", "scanner"),
    ("收银机", "HP Engage One", "computer"),
    ("交换机", "H3C S5130", "network"),
    ("激光打印机", "Brother HL-L5100", "printer"),
    ("服务器", "Dell R250", "computer"),
    ("门禁主机", "ZKTeco C3-400", "network"),
)
SUBJECTS = (
    "打印机频繁卡纸",
    "收银机无法登录 ERP",
    "门店网络时断时续",
    "扫描枪不识别二维码",
    "服务器磁盘告警",
    "标签打印偏移",
    "电脑开机蓝屏",
    "申请新装一台终端",
    "交换机端口不通",
    "月度巡检",
    "打印浓度不均",
    "共享文件夹无法访问",
    "门禁刷卡无反应",
    "更换硒鼓",
)
RESULTS = (
    "更换胶辊并校准，试打 20 张正常。",
    "重装驱动，恢复正常。",
    "更换网线，观察 2 小时无掉线。",
    "已更换硬盘并重建阵列。",
    "远程处理，客户确认。",
)
