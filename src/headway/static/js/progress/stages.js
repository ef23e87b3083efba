// @ts-check
/** From a task's flat list of stages: what is shown of each, and what belongs below what. Pure. */

/** @import { Stage, Task } from './types.js' */
/** @import { ShownStage } from './internal.js' */
import { percentOf } from './task.js';

/**
 * The stages of the first level, each with its `parts`. A stage whose parent is not there stands on the first level.
 * @param {Task | null} task
 * @returns {ShownStage[]}
 */
export function shownStages(task) {
  const stages = (Array.isArray(task?.stages) ? task.stages : []).map((stage) => stageOf(stage, task?.state));
  const named = new Map(stages.map((stage) => [stage.name, stage]));
  const above = (/** @type {ShownStage} */ stage) => {
    const parent = stage.parent == null ? undefined : named.get(stage.parent);
    // Two that name each other must not be lost both.
    for (let up = parent; up; up = up.parent == null ? undefined : named.get(up.parent)) if (up === stage) return;
    return parent;
  };
  const roots = stages.filter((stage) => !above(stage)?.parts.push(stage));
  for (const stage of roots) passOver(stage);
  return roots;
}

/** What nobody began before the stage that it is a part of was over will not begin any more. @param {ShownStage} stage */
function passOver(stage) {
  for (const part of stage.parts) {
    if (isOver(stage) && part.mark === 'waiting') part.mark = 'skipped';
    passOver(part);
  }
}

/** @param {ShownStage} stage */
export const isOver = ({ mark }) => mark === 'completed' || mark === 'skipped';

/** @param {Stage} stage @param {string} [taskState] @returns {ShownStage} */
function stageOf(stage, taskState) {
  const state = String(stage?.state ?? '');
  const over = /^(completed|failed|cancelled)$/.test(taskState ?? '');
  // What has not begun by the end never will.
  const open = over ? 'skipped' : 'waiting';
  const running = over && taskState !== 'completed' ? taskState : 'running';
  const mark = /^(completed|failed|cancelled|skipped)$/.test(state) ? state : state === 'running' ? running : open;
  const percent = percentOf(stage?.progress ?? null, mark);
  return {
    ...stage,
    mark: /** @type {ShownStage['mark']} */ (mark),
    percent,
    fraction: percent == null ? 0 : percent / 100,
    parts: [],
  };
}
