// The gateway is mounted below /live, so the bar is told where sockets and HTTP API are.
const bar = new ProgressBar('progress-container', { socketPath: '/live/socket.io', apiUrl: '/live/api' });

// The id is in the page's address, so that the bar outlives a reload.
function watch(taskId) {
  location.hash = taskId;
  bar.start({ taskId });
}

document.getElementById('write').addEventListener('click', async () => {
  const response = await fetch('/reports', { method: 'POST' });
  watch((await response.json()).task_id);
});

if (location.hash.length > 1) watch(location.hash.slice(1));
else bar.hide();
