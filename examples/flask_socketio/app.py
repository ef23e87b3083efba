"""A Flask-SocketIO app whose imports have a bar: `python app.py`, then http://localhost:5000."""

from __future__ import annotations

import os
import time

from flask import Flask, Response, jsonify, render_template
from flask_socketio import SocketIO

from headway import ProgressManager, Reporter
from headway.runners import LocalRunner
from headway.web.socketio_handlers import SocketIOHandlers

STAGES = [
    {"name": "download", "label": "Download", "weight": 1},
    {"name": "import", "label": "Import", "weight": 3},
]

app = Flask(__name__)
socketio = SocketIO(app, async_mode="threading")
manager = ProgressManager(socketio)
handlers = SocketIOHandlers(socketio, manager)
runner = LocalRunner(manager, workers=4)


def import_orders(task: Reporter, orders: int) -> dict[str, int]:
    """Runs in a thread of the runner. What it returns is the task's result."""
    with task.step("download", total=orders) as step:
        for _ in step.track(range(orders)):
            time.sleep(0.005)
    with task.step("import", total=orders) as step:
        for number in step.track(range(1, orders + 1)):
            time.sleep(0.01)
            if number % 100 == 0:
                task.log(f"{number} orders imported")
    return {"orders": orders}


@app.get("/")
def page() -> str:
    return render_template("index.html")


@app.post("/imports")
def start() -> tuple[Response, int]:
    task_id = runner.submit(import_orders, 300, name="Import orders", stages=STAGES)
    return jsonify(task_id=task_id), 202


@app.after_request
def secure(response: Response) -> Response:
    # No inline script or style is needed by the bar.
    response.headers["Content-Security-Policy"] = "default-src 'self'; base-uri 'none'; object-src 'none'"
    return response


if __name__ == "__main__":
    # The development server is fine for a look; docs/howto/flask.md says what to run it on.
    socketio.run(app, port=int(os.environ.get("PORT", "5000")), allow_unsafe_werkzeug=True)
