// @ts-check
// The weather on the line between this page and the server. A classic script that must come before the Socket.IO
// client, which takes hold of WebSocket when it is loaded. In clear weather everything passes through untouched.
//   cut: every open line is lost at once, and no new one can be opened · stall: nothing moves, either way, until it clears
//   delay: everything comes late by so many ms

(() => {
  const NativeSocket = window.WebSocket;
  const nativeFetch = window.fetch.bind(window);
  const nativeSend = XMLHttpRequest.prototype.send;
  /** @type {Set<Line>} */
  const lines = new Set();
  let mode = 'clear';
  let delayMs = 0;
  /** @type {(() => void)[]} */
  let waiting = [];
  let timer = 0;

  /** Runs `then` when the weather lets it through. @param {() => void} then */
  const pass = (then) => {
    if (mode === 'stall') waiting.push(then);
    else if (mode === 'delay') setTimeout(then, delayMs);
    else then();
  };

  class Line extends EventTarget {
    static CONNECTING = 0;
    static OPEN = 1;
    static CLOSING = 2;
    static CLOSED = 3;
    /** @type {any} */ onopen = null;
    /** @type {any} */ onclose = null;
    /** @type {any} */ onmessage = null;
    /** @type {any} */ onerror = null;
    /** @type {WebSocket | null} */ #native = null;
    #lost = false;

    /** @param {string | URL} url @param {string | string[]} [protocols] */
    constructor(url, protocols) {
      super();
      this.url = String(url);
      if (mode === 'cut') {
        this.#lost = true;
        setTimeout(() => this.#lose(), 20);
        return;
      }
      const native = new NativeSocket(url, protocols);
      this.#native = native;
      lines.add(this);
      native.onopen = () => pass(() => this.#tell('open', new Event('open')));
      native.onmessage = (event) => pass(() => this.#tell('message', new MessageEvent('message', { data: event.data })));
      native.onerror = () => this.#tell('error', new Event('error'));
      native.onclose = (event) => {
        lines.delete(this);
        this.#tell('close', new CloseEvent('close', { code: event.code, reason: event.reason, wasClean: event.wasClean }));
        this.#lost = true;
      };
    }

    get readyState() { return this.#lost ? 3 : this.#native?.readyState ?? 3; }
    get bufferedAmount() { return this.#native?.bufferedAmount ?? 0; }
    get extensions() { return this.#native?.extensions ?? ''; }
    get protocol() { return this.#native?.protocol ?? ''; }
    get binaryType() { return this.#native?.binaryType ?? 'blob'; }
    set binaryType(type) { if (this.#native) this.#native.binaryType = type; }

    /** @param {any} data */
    send(data) {
      pass(() => this.#native?.readyState === 1 && !this.#lost && this.#native.send(data));
    }

    /** @param {number} [code] @param {string} [reason] */
    close(code, reason) {
      if (code === undefined) this.#native?.close();
      else this.#native?.close(code, reason);
    }

    /** As if the cable were pulled: the page is told nothing but that it is gone. */
    cut() {
      if (this.#lost) return;
      this.#lost = true;
      lines.delete(this);
      if (this.#native) {
        this.#native.onopen = this.#native.onmessage = this.#native.onerror = this.#native.onclose = null;
        this.#native.close();
      }
      this.#lose();
    }

    #lose() {
      for (const [name, event] of /** @type {[string, Event][]} */ ([['error', new Event('error')], ['close', new CloseEvent('close', { code: 1006 })]])) {
        /** @type {any} */ (this)[`on${name}`]?.(event);
        this.dispatchEvent(event);
      }
    }

    /** @param {string} name @param {Event} event */
    #tell(name, event) {
      if (this.#lost) return;
      /** @type {any} */ (this)[`on${name}`]?.(event);
      this.dispatchEvent(event);
    }
  }

  window.WebSocket = /** @type {any} */ (Line);

  window.fetch = (input, init) => {
    if (mode === 'cut') return Promise.reject(new TypeError('the network is down (test page)'));
    return new Promise((resolve, reject) => pass(() => nativeFetch(input, init).then(resolve, reject)));
  };

  XMLHttpRequest.prototype.send = function send(body) {
    if (mode !== 'cut') {
      pass(() => nativeSend.call(this, body));
      return;
    }
    setTimeout(() => {
      for (const [name, value] of Object.entries({ readyState: 4, status: 0 })) Object.defineProperty(this, name, { value, configurable: true });
      this.dispatchEvent(new Event('readystatechange'));
      this.dispatchEvent(new Event('error'));
    }, 20);
  };

  const clear = () => {
    clearTimeout(timer);
    const was = mode;
    mode = 'clear';
    const passing = waiting;
    waiting = [];
    for (const then of passing) then();
    if (was !== 'clear') dispatchEvent(new CustomEvent('headway-weather', { detail: { mode, was } }));
  };

  /** @type {any} */ (window).headwayWeather = {
    get mode() { return mode; },
    clear,
    /** @param {'cut' | 'stall' | 'delay'} next @param {number} forMs @param {number} [late] */
    set(next, forMs, late = 0) {
      clear();
      mode = next;
      delayMs = late;
      dispatchEvent(new CustomEvent('headway-weather', { detail: { mode, forMs } }));
      if (next === 'cut') for (const line of [...lines]) line.cut();
      timer = window.setTimeout(clear, forMs);
    },
    /** Loses every open line; new ones can be opened at once. */
    cutOnce() {
      for (const line of [...lines]) line.cut();
    },
  };
})();
