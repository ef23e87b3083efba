// nginx hands everything below /live to the gateway, so for the browser it is one site.
const bar = new ProgressBar('progress-container', { socketPath: '/live/socket.io', apiUrl: '/live/api' });

// The id is in the page's address, so that the bar outlives a reload.
function watch(taskId) {
  location.hash = taskId;
  bar.start({ taskId });
}

document.getElementById('resize').addEventListener('click', async () => {
  const response = await fetch('/resize', { method: 'POST' });
  watch((await response.json()).task_id);
});

if (location.hash.length > 1) watch(location.hash.slice(1));
else bar.hide();
