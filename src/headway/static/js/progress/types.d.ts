/** Headway in the browser: the types of `progress.js` and `progress.mjs`. */

export type State = 'pending' | 'running' | 'cancelling' | 'completed' | 'failed' | 'cancelled';
export type TransportName = 'websocket' | 'polling' | 'sse' | 'http' | 'local';
export type Action = 'cancel' | 'retry';

export interface Stage {
  name: string;
  label?: string | null;
  weight?: number;
  state?: string;
  progress?: number | null;
  /** The stage of the list that this one is a part of. */
  parent?: string | null;
}

/** What a viewer is told of a task, over every transport. Fields that are not listed here are passed on as they come. */
export interface Task {
  task_id: string;
  name: string | null;
  state: State;
  status: string;
  progress: number | null;
  message: string;
  details: Record<string, unknown>;
  stages: Stage[] | null;
  eta_s: number | null;
  rate: number | null;
  epoch: string;
  rev: number;
  attempt: number;
  worker: 'alive' | 'silent' | null;
  cancel_requested_at: number | null;
  cancel_reason: string | null;
  created_at: number | null;
  started_at: number | null;
  updated_at: number | null;
  finished_at: number | null;
  server_time: number | null;
  result: unknown;
  result_url?: string | null;
  error: { code: string; message: string } | null;
}

export interface LogLine {
  n: number;
  t: number;
  level: string;
  text: string;
}

export interface LogPayload {
  task_id: string;
  epoch: string;
  lines: LogLine[];
  truncated_before?: number;
}

export interface HeadwayError {
  code: string;
  message: string;
  task_id?: string;
}

export type Token = string | (() => string | null | undefined | Promise<string | null | undefined>);

/** How the connection is doing. */
export interface Status {
  phase: 'idle' | 'connecting' | 'live' | 'waiting' | 'failed' | 'off';
  /** Which try of this round, 0 for the first connection. */
  attempt: number;
  max: number;
  transport: TransportName | null;
  reason: string | null;
}

/** Three separate signals: do we hear the server, does the server hear the worker, does the work go on. */
export interface Freshness {
  connected: boolean;
  worker: 'alive' | 'silent' | null;
  advancing: boolean;
  /** Seconds since the work itself last changed something, by the server's clock; null while not known. */
  age_s: number | null;
}

export interface BarState {
  connected: boolean;
  transport: TransportName | null;
  task: Task | null;
  taskId: string | null;
  status: Status;
  freshness: Freshness;
  actions: Action[] | null;
  visible: boolean;
}

export interface ProgressBarEvents {
  connect: [];
  disconnect: [reason: string];
  error: [error: HeadwayError];
  progress: [task: Task];
  complete: [task: Task];
  fail: [task: Task];
  cancelled: [task: Task];
  cancel: [];
  retry: [];
  reconnect_failed: [];
  reconnecting: [attempt: number, max: number];
  freshness: [freshness: Freshness];
  log: [payload: LogPayload];
}

export interface ConnectionOptions {
  /** Socket.IO namespace, with or without an origin; null for a local bar. Default `/progress`. */
  websocketUrl?: string | null;
  /** Where the Socket.IO server listens. Default `/socket.io`. */
  socketPath?: string;
  /** Where the HTTP API is. Default `/api`. */
  apiUrl?: string;
  autoReconnect?: boolean;
  /** Milliseconds, give or take 30 %. Default 3000. */
  reconnectDelay?: number;
  maxReconnectAttempts?: number;
  /** Milliseconds. Default 30000. */
  heartbeatInterval?: number;
  /**
   * One socket for all tabs of this browser. Default true: where ids and tokens alone decide what may be seen. A string:
   * wherever, with those tabs that say the same, such as who is logged in.
   */
  shareTabs?: boolean | string;
  token?: Token | null;
}

export interface ProgressBarOptions extends ConnectionOptions {
  showStages?: boolean;
  showTime?: boolean;
  showDetails?: boolean;
  showLog?: boolean;
  allowCancel?: boolean;
  allowRetry?: boolean;
  /** Hide the bar once the task has completed. */
  autoHide?: boolean;
  autoHideDelay?: number;
  locale?: string;
  /** Words of your own, by key. */
  words?: Record<string, string>;
  /** What the bar is called until the task's own name is known. */
  label?: string;
  /** Show the progress in the tab's title. */
  tabTitle?: boolean;
  /** Show the progress in the tab's icon. */
  favicon?: boolean;
  /** Offer a notification for when the task has ended; permission is asked for on a click only. */
  notify?: boolean;
  /** Where progress.css is; null when the page has it in another way. Default: beside progress.js. */
  stylesheet?: string | null;
  onConnect?: () => void;
  onDisconnect?: (reason: string) => void;
  onError?: (error: HeadwayError) => void;
  onProgress?: (task: Task) => void;
  onComplete?: (task: Task) => void;
  onFail?: (task: Task) => void;
  onCancelled?: (task: Task) => void;
  onCancel?: () => void;
  onRetry?: () => void;
  onReconnectFailed?: () => void;
  onReconnecting?: (attempt: number, max: number) => void;
  onFreshness?: (freshness: Freshness) => void;
  onLog?: (payload: LogPayload) => void;
}

export interface StartOptions {
  taskId?: string | null;
  name?: string;
  message?: string;
  details?: Record<string, unknown>;
  stages?: Stage[];
  token?: Token | null;
}

export interface UpdateData {
  message?: string;
  status?: string;
  details?: Record<string, unknown>;
  stages?: Stage[];
  name?: string;
  eta_s?: number | null;
  rate?: number | null;
}

export class ProgressBar {
  constructor(container: string | Element | ShadowRoot, options?: ProgressBarOptions);
  /** The shared Socket.IO socket, or null where another transport is used. */
  readonly socket: any;
  readonly state: BarState;
  start(options?: StartOptions | string | null): this;
  updateProgress(progress: number | null, data?: UpdateData): this;
  complete(message?: string): this;
  fail(reason?: string | Error): this;
  cancel(): Promise<boolean>;
  retry(): Promise<boolean>;
  reset(): this;
  show(): this;
  hide(): this;
  on<E extends keyof ProgressBarEvents>(event: E, callback: (...args: ProgressBarEvents[E]) => void): this;
  off<E extends keyof ProgressBarEvents>(event: E, callback?: (...args: ProgressBarEvents[E]) => void): this;
  isConnected(): boolean;
  getTaskId(): string | null;
  initWebSocket(): void;
  bindWebSocketEvents(): void;
  joinTaskRoom(taskId: string): void;
  leaveTaskRoom(taskId: string): void;
  handleProgressUpdate(data: Task): void;
  startHeartbeat(): void;
  stopHeartbeat(): void;
  scheduleReconnect(): void;
  disconnectWebSocket(): void;
  destroy(): void;
}

export interface WatchOptions extends ConnectionOptions {
  /** Called with each newer state, and once more when the connection changes. */
  onChange?: (task: Task | null, status: Status) => void;
  onLog?: (payload: LogPayload) => void;
  onError?: (error: HeadwayError) => void;
  /** Ends the watching. */
  signal?: AbortSignal;
  /** Follow the log from this line on; lines count from 1. */
  logFrom?: number;
}

export interface TaskWatch {
  readonly task: Task | null;
  readonly status: Status;
  readonly freshness: Freshness;
  cancel(reason?: string): Promise<boolean>;
  retry(): Promise<boolean>;
  stop(): void;
}

/** Follows a task without drawing anything. */
export function watchTask(taskId: string, options?: WatchOptions): TaskWatch;

/** `<headway-progress task-id="…">` */
export class HeadwayProgressElement extends HTMLElement {
  readonly bar: ProgressBar | null;
  /** Another token, or a function that gives one; goes before the attribute. */
  token: Token | null;
}

declare global {
  interface HTMLElementTagNameMap {
    'headway-progress': HeadwayProgressElement;
  }
}
