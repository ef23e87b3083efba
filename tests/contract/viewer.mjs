// A viewer by socket.io-client: `node viewer.mjs URL TRANSPORT`. Events go out as JSON lines, ["event", data] come in.
import { createInterface } from "node:readline";
import { io } from "socket.io-client";

const [url, transport] = process.argv.slice(2);
const say = (event, data) => process.stdout.write(JSON.stringify([event, data ?? null]) + "\n");
const socket = io(`${url}/progress`, { transports: transport === "upgrade" ? ["polling", "websocket"] : [transport] });

socket.on("connect", () => say("connect", socket.id));
socket.on("disconnect", (reason) => say("disconnect", reason));
socket.on("connect_error", (error) => say("connect_error", String(error)));
socket.io.engine?.on("upgrade", () => say("upgrade"));
socket.onAny((event, data) => say(event, data));

createInterface({ input: process.stdin })
  .on("line", (line) => {
    const [event, data] = JSON.parse(line);
    socket.emit(event, data, (ack) => say("ack", ack));
  })
  .on("close", () => socket.disconnect());
