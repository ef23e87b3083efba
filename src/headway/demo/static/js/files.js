// @ts-check
/**
 * A post's files. Who made it is let in by a cookie, and a plain URL will do. Who came by a shared link has a token
 * instead, which no URL may carry: then the bytes are fetched with it in a header.
 */

import { cameByLink, tokenOf } from './api.js';
import { h, root, toast } from './dom.js';
import { t } from './words.js';

const KEPT_MS = 60_000;

/** @param {string} taskId @param {string} file @param {number} [attempt] */
const urlOf = (taskId, file, attempt = 1) =>
  `${root}/posts/${encodeURIComponent(taskId)}/${encodeURIComponent(file)}${attempt > 1 ? `?attempt=${attempt}` : ''}`;

/** Shows a picture of a post. @param {HTMLImageElement} img @param {string} taskId @param {string} file @param {number} [attempt] */
export async function showPicture(img, taskId, file, attempt) {
  const url = urlOf(taskId, file, attempt);
  if (!cameByLink(taskId)) {
    img.src = url;
    return;
  }
  const bytes = await fetched(taskId, url);
  if (!bytes) return; // its `alt` stands there then
  img.addEventListener('load', () => URL.revokeObjectURL(bytes), { once: true });
  img.src = bytes;
}

/**
 * Makes `link` download a file of a post.
 * @param {HTMLAnchorElement} link @param {any} task @param {string} file @param {string} name what it is saved as
 */
export function pointTo(link, task, file, name) {
  link.href = urlOf(task.task_id, file, task.attempt);
  link.download = name;
  link.onclick = async (event) => {
    if (!cameByLink(task.task_id)) return;
    event.preventDefault();
    const bytes = await fetched(task.task_id, link.href);
    if (!bytes) return toast(t('notDownloaded'));
    h('a', { href: bytes, download: name }).click();
    setTimeout(() => URL.revokeObjectURL(bytes), KEPT_MS); // the browser reads it in its own time
  };
}

/** A URL of the bytes, good for this page alone; null where they could not be had.
 * @param {string} taskId @param {string} url @returns {Promise<string | null>} */
async function fetched(taskId, url) {
  try {
    const answer = await fetch(url, { headers: { Authorization: `Bearer ${await tokenOf(taskId)}` } });
    return answer.ok ? URL.createObjectURL(await answer.blob()) : null;
  } catch {
    return null;
  }
}
