// nginx hands everything below /live to the gateway, so for the browser it is one site.
const bar = new ProgressBar('progress-container', { socketPath: '/live/socket.io', apiUrl: '/live/api' });

document.getElementById('resize').addEventListener('click', async () => {
  const response = await fetch('/resize', { method: 'POST' });
  bar.start({ taskId: (await response.json()).task_id });
});
