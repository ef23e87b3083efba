// The gateway is mounted below /live, so the bar is told where sockets and HTTP API are.
const bar = new ProgressBar('progress-container', { socketPath: '/live/socket.io', apiUrl: '/live/api' });

document.getElementById('write').addEventListener('click', async () => {
  const response = await fetch('/reports', { method: 'POST' });
  bar.start({ taskId: (await response.json()).task_id });
});
