"""A plain WSGI app, without a socket of its own: `flask run`, or gunicorn with as many processes as you like."""

from __future__ import annotations

from flask import Flask, Response, jsonify, render_template
from jobs import resize, runner

app = Flask(__name__)


@app.get("/")
def page() -> str:
    return render_template("index.html")


@app.post("/resize")
def start() -> tuple[Response, int]:
    return jsonify(task_id=runner.submit(resize, 60, name="Resize")), 202
