// A bar that outlives a reload: the id of the last import is in the page's address.
const bar = new ProgressBar('progress-container', { label: 'Import orders' });

function watch(taskId) {
  location.hash = taskId;
  bar.start({ taskId });
}

document.getElementById('import').addEventListener('click', async () => {
  const response = await fetch('/imports', { method: 'POST' });
  watch((await response.json()).task_id);
});

if (location.hash.length > 1) watch(location.hash.slice(1));
else bar.hide();
