// Compiled, never run: what a TypeScript user may write, and what must be refused.
import { HeadwayProgressElement, ProgressBar, watchTask } from '../../../src/headway/static/js/progress.mjs';
import type { Freshness, ProgressBarOptions, Task } from '../../../src/headway/static/js/progress.mjs';

const options: ProgressBarOptions = { websocketUrl: '/progress', reconnectDelay: 500, token: async () => 'secret' };
const bar = new ProgressBar('container', options);
bar.on('connect', () => {}).on('disconnect', (reason) => reason.toUpperCase());
bar.on('progress', (task: Task) => task.progress?.toFixed());
bar.on('freshness', ({ age_s, worker }: Freshness) => [age_s, worker]);
bar
  .off('progress')
  .start({ taskId: 'a', details: { completed: 1 } })
  .updateProgress(3, { message: 'm' });
bar.fail(new Error('no such file')).fail('enough');
const stopped: Promise<boolean> = bar.cancel();
const transport: 'websocket' | 'polling' | 'sse' | 'http' | 'local' | null = bar.state.transport;
new ProgressBar(document.body);

const watch = watchTask('a', {
  onChange: (task, status) => [task?.state, status.phase],
  signal: AbortSignal.timeout(1),
});
watch.cancel('reason').then((took) => took === true);
watch.stop();

const element: HeadwayProgressElement = document.createElement('headway-progress');
element.token = () => 'fresh';
element.bar?.destroy();

// @ts-expect-error no such event
bar.on('finished', () => {});
// @ts-expect-error no such option
new ProgressBar('container', { reconnectdelay: 3 });
// @ts-expect-error a number, or null where it is not known
bar.updateProgress('50');
// @ts-expect-error a task may not be there yet
watchTask('a').task.progress;

export { stopped, transport };
