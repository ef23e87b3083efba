"""A real nginx in a folder of its own, in the foreground."""

from __future__ import annotations

import shutil
from pathlib import Path

AROUND = """
pid {folder}/nginx.pid;
error_log {folder}/error.log;
daemon off;
master_process off;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    {inner}
}}
"""


def nginx_command(folder: Path, inner: str) -> list[str]:
    """What runs nginx with this inside its http block."""
    program = shutil.which("nginx") or "/usr/sbin/nginx"
    assert Path(program).exists(), "no nginx found; `make test` installs one"
    configuration = folder / "nginx.conf"
    configuration.write_text(AROUND.format(folder=folder, inner=inner))
    return [program, "-e", str(folder / "error.log"), "-p", str(folder), "-c", str(configuration)]
