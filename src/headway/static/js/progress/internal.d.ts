/** Types that the parts of the bar share among themselves. */
import type {
  Action,
  Freshness,
  HeadwayError,
  LogPayload,
  Stage,
  Status,
  Task,
  Token,
  TransportName,
} from './types.js';

export interface Words {
  (key: string, values?: Record<string, unknown>): string;
  has(key: string): boolean;
  /** More words, for what is shown from now on. */
  add(table: WordTable): void;
  locale: string;
}

/** By key; null where a name is read as it is, or English stands in. */
export type WordTable = Record<string, [english: string | null, chinese: string | null]>;

/** A key of words.js and what to fill in. */
export type Phrase = [key: string, values?: Record<string, unknown>];

/** What the bar knows when it draws. */
export interface Facts {
  task: Task | null;
  status: Status;
  /** There is no server behind this bar, or none any more. */
  local: boolean;
  /** The server's present time, in Unix seconds; null while it is not known. */
  now: number | null;
  /** What the person has asked for and the server has not answered yet. */
  asked: Action | null;
  /** What this viewer may do; null while not known. */
  actions: Action[] | null;
  problem: HeadwayError | null;
  hasTaskId: boolean;
}

export type Look = 'idle' | 'waiting' | 'running' | 'cancelling' | 'cancelled' | 'failed' | 'completed';

/** What is to be seen, still without words. */
export interface Shown {
  look: Look;
  signals: Freshness;
  trouble: 'unknown' | 'lost' | 'reconnecting' | 'silent' | 'quiet' | null;
  percent: number | null;
  fraction: number;
  moving: boolean;
  /** Stage label or status name, as it came. */
  doing: { label: string } | { name: string };
  notes: Note[];
  buttons: { cancel: boolean; cancelling: boolean; retry: boolean; reconnect: boolean };
}

/** `seconds` becomes `{time}`. */
export interface Note {
  key: string;
  values?: Record<string, unknown>;
  seconds?: number;
  code?: string;
  text?: string;
}

export interface ShownStage extends Stage {
  mark: 'waiting' | 'running' | 'completed' | 'skipped' | 'failed' | 'cancelled';
  percent: number | null;
  fraction: number;
  parts: ShownStage[];
}

export interface Endpoint {
  /** Namespace URL for Socket.IO. */
  url: string;
  path: string;
  api: string;
}

export interface Policy {
  autoReconnect: boolean;
  reconnectDelay: number;
  maxReconnectAttempts: number;
  heartbeatInterval: number;
}

export interface Ack {
  ok: boolean;
  actions?: Action[];
  error?: HeadwayError;
}

export interface JoinData {
  token?: string;
  log_from?: number;
}

/** How messages travel. What it hears it tells its `Sink`. */
export interface Transport {
  readonly socket: any;
  readonly name: TransportName | null;
  open(): void;
  /** Safe to call twice; tells nothing. `lost`: to be opened again soon. */
  close(lost?: boolean): void;
  join(taskId: string, data: JoinData): void;
  leave(taskId: string): void;
  ask(event: 'cancel_task' | 'retry_task', taskId: string, data: { token?: string; reason?: string }): Promise<Ack>;
  ping(): void;
  bind?(): void;
  /** Each task has a connection of its own: joining is what connects. */
  readonly joinsFirst?: boolean;
}

export interface Sink {
  up(joined?: boolean): void;
  down(reason: string): void;
  /** There is a web server, but Headway is not on it. */
  absent(): void;
  /** All that is watched. */
  rejoin(): void;
  /** The server's first word; `shareable`: it makes no difference to it who opened the socket. */
  greeted(shareable: boolean): void;
  serverTime(time: unknown): void;
  state(task: Task): void;
  log(payload: LogPayload): void;
  actions(taskId: string, actions: Action[]): void;
  error(error: HeadwayError): void;
  pong(): void;
  token(taskId: string): Promise<string | undefined>;
}

export interface LinkHandlers {
  onStatus?: (status: Status, before: Status) => void;
  onState?: (task: Task) => void;
  onLog?: (payload: LogPayload) => void;
  onActions?: (actions: Action[]) => void;
  onError?: (error: HeadwayError) => void;
}

export interface Watch {
  taskId: string;
  token?: Token | null;
  /** The next line of the log that is wanted; null for none. */
  logFrom?: () => number | null;
}
