"""A FastAPI app with Headway's gateway mounted: `uvicorn app:app`, then http://localhost:8000."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI
from fastapi.responses import FileResponse

from headway import ProgressManager, Reporter
from headway.runners import LocalRunner
from headway.web.gateway import Gateway

HERE = Path(__file__).parent

manager = ProgressManager()
gateway = Gateway(manager)
runner = LocalRunner(manager, workers=4)


@asynccontextmanager
async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
    yield
    await gateway.close()
    runner.close()
    manager.close()


def write_report(task: Reporter, pages: int) -> dict[str, int]:
    """Blocking work belongs in a runner, not on the event loop."""
    for page in task.track(range(1, pages + 1)):
        task.update(message=f"page {page}", details={"unit": "pages"})
        time.sleep(0.05)
    return {"pages": pages}


app = FastAPI(lifespan=lifespan)


@app.get("/")
async def page() -> FileResponse:
    return FileResponse(HERE / "static" / "index.html")


@app.get("/report.js")
async def script() -> FileResponse:
    return FileResponse(HERE / "static" / "report.js")


@app.post("/reports", status_code=202)
def start() -> dict[str, str]:  # A plain function: FastAPI runs it in a thread, and creating a task writes to disk.
    return {"task_id": runner.submit(write_report, 60, name="Report")}


# Everything of Headway's is below /live: sockets, HTTP API, event streams, scripts.
app.mount("/live", gateway)
