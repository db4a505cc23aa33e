"""The vocabulary of the simulated lines. Names are invented; domains are reserved ones."""

from __future__ import annotations

OUTSIDE = ("192.0.2", "198.51.100", "203.0.113", "198.18.7", "198.19.44")
LOW_PORTS = ("22", "25", "53", "80", "123", "135", "389", "443", "445", "993", "3306", "3389")
USERS = (
    "amara", "b.okafor", "chen_wei", "d.silva", "e.novak", "farid", "g.rossi", "hana", "i.petrov",
    "jlopez", "k.tanaka", "lena", "m.haddad", "n.kumar", "olga", "p.muller", "q.nguyen", "rsmith",
    "s.yilmaz", "t.berg", "adm_keller", "adm-ruiz",
)  # fmt: skip
SERVICES = ("svc_backup", "svc_scan", "svc-deploy", "postgres", "root", "www-data")
WINDOWS_DOMAINS = ("CORP", "NORTHWIND-SIM", "LAB")
GROUPS = ("vpn-users", "Domain Admins", "contractors", "Finance Staff", "ops")
DOMAINS = (
    "intranet.example", "mail.example", "cdn.amber.example", "api.birch.test", "files.cedar.test",
    "login.delta.example", "updates.ember.test", "shop.fjord.example", "x7q.gale.test",
)  # fmt: skip
INTERFACES = ("inside", "outside", "dmz", "wan1", "port3", "ethernet1/2", "guest-wifi")
SWITCH_PORTS = (
    "GigabitEthernet1/0/7", "GigabitEthernet2/0/24", "Te1/1/3", "FastEthernet0/12", "Po10",
)  # fmt: skip
APPLICATIONS = ("web-browsing", "dns", "ssl", "smtp", "ms-update", "ssh", "quic", "file-share")
RULES = (
    "Allow DNS out", "deny-all", "Guest to Internet", "srv_to_db", "block bad countries",
    "Office 365 bypass", "default",
)  # fmt: skip
THREATS = (
    "SIM.Generic.Dropper", "Simulated SQL Injection", "sim-coinminer", "Sim.Phish.Kit",
    "Suspicious DNS Query (simulated)",
)  # fmt: skip
CATEGORIES = ("business-and-economy", "malware", "social networking", "unknown", "news, media")
PATHS = ("api", "v2", "login", "static", "img", "orders", "reports", "wp-admin", "search", "users")
SUFFIXES = ("", "", "", ".html", ".php", ".js", ".png", "/")
KEYS = ("id", "page", "session", "q", "token")
AGENTS = (
    "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/126.0.0.0 Safari/537.36",
    "curl/8.5.0", "simbot/1.2 (+https://simbot.example)", "python-requests/2.32.3",
)  # fmt: skip
FILES = (
    "/etc/passwd", "/var/www/upload/a.php", "/opt/app/config.yml", "/home/www/.x/run.sh",
    "/srv/share/q3 report.xlsx",
)  # fmt: skip
WINDOWS_FILES = (
    "C:\\Users\\Public\\amber.exe", "C:\\Windows\\Temp\\setup log.txt",
    "D:\\Shares\\finance\\budget.xlsm", "C:\\ProgramData\\tool\\a.dll",
)  # fmt: skip
PROGRAMS = ("sshd", "sudo", "cron", "systemd", "dhclient", "postmill")
WINDOWS_PROGRAMS = (
    "C:\\Windows\\System32\\svchost.exe", "C:\\Windows\\explorer.exe",
    "C:\\Program Files\\Ledger\\ledger.exe", "C:\\Windows\\System32\\cmd.exe",
)  # fmt: skip
REASONS = (
    "idle timeout", "bad password", "policy deny", "peer reset", "certificate expired",
    "user request", "no route", "license limit reached",
)  # fmt: skip
SUBJECTS = ("Invoice 4471", "Re: lunch on Friday?", "[ops] backup failed", "Your parcel", "q3 =?")
PACKAGES = ("org.orchard.core", "org.orchard.web", "com.sim.billing", "io.sim.queue")
CLASSES = ("OrderService", "UserFilter", "CacheLoader", "MailQueue", "Scheduler")
EXCEPTIONS = (
    "java.lang.NullPointerException", "java.net.SocketTimeoutException",
    "java.lang.IllegalStateException", "com.sim.billing.ChargeException",
)  # fmt: skip
MESSAGES = (
    "Connection refused", "pool exhausted after 30000 ms", "started in 4.2 seconds",
    "retrying request", "cache miss for key orders:77", "no handler for path /x",
    "user table is empty",
)  # fmt: skip
TABLES = ("invoices", "users", "sessions", "audit_trail")
STATEMENTS = (
    "SELECT * FROM users WHERE id = 7", "UPDATE invoices SET paid = true",
    "DELETE FROM sessions", "INSERT INTO audit_trail (who, what) VALUES ('a', 'b')",
)  # fmt: skip
