// @ts-check
/** Listens in on every Socket.IO socket of the page: what goes out, what comes in, what was acknowledged. */

/**
 * @typedef {object} Heard
 * @property {(event: string, data: any) => void} out
 * @property {(event: string, data: any) => void} in
 * @property {(event: string, data: any, answer: any, ms: number) => void} ack
 * @property {(what: 'connect' | 'disconnect' | 'connect_error', data: any) => void} line
 */

/** Must be called before the first bar is made. @param {Heard} heard */
export function tapSockets(heard) {
  const page = /** @type {any} */ (window);
  const real = page.io;
  if (!real) return;
  page.io = Object.assign((/** @type {any[]} */ ...args) => {
    const socket = real(...args);
    tap(socket, heard);
    return socket;
  }, real);
}

/** @param {any} socket @param {Heard} heard */
function tap(socket, heard) {
  const emit = socket.emit.bind(socket);
  socket.emit = (/** @type {string} */ event, /** @type {any[]} */ ...args) => {
    const done = args.at(-1);
    const data = args[0];
    heard.out(event, typeof data === 'function' ? undefined : data);
    if (typeof done === 'function') {
      const begun = performance.now();
      args[args.length - 1] = (/** @type {any} */ answer) => {
        heard.ack(event, data, answer, performance.now() - begun);
        done(answer);
      };
    }
    return emit(event, ...args);
  };
  socket.onAny((/** @type {string} */ event, /** @type {any} */ data) => heard.in(event, data));
  socket.on('connect', () => heard.line('connect', socket.id));
  socket.on('disconnect', (/** @type {string} */ reason) => heard.line('disconnect', reason));
  socket.on('connect_error', (/** @type {Error} */ error) => heard.line('connect_error', error.message));
}
