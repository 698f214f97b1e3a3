import type { PodTemplateSpec } from '../../shared/api/generated/types.js';
import { ANNOTATION_CHANGE_CAUSE } from '../../shared/api/well-known.js';
import { Failure } from '../cluster/failure.js';
import type { FileFlags } from '../command-flags.js';
import type { CommandContext } from '../context.js';
import { Lines } from '../describe/lines.js';
import { describePodTemplate } from '../describe/pod-template.js';
import { throwCollected } from '../failures.js';
import { referenceName, type FoundObject } from '../found-objects.js';
import { objectWriter, type PrintFlags } from '../print-flags.js';
import { workloads } from './change.js';
import { assertHasRevisions, revisionsOf, type Revision } from './revisions.js';

export interface HistoryFlags extends FileFlags, PrintFlags {
  selector?: string;
  revision: number;
}

export async function runHistory(
  context: CommandContext,
  flags: HistoryFlags,
  { words }: { words: readonly string[] },
): Promise<void> {
  if (words.length === 0 && !flags.filename) throw new Failure('required resource not specified');
  if (flags.revision < 0) throw new Failure(`revision must be a positive integer: ${flags.revision}`);
  const write = objectWriter(context, flags);
  const { found, errors } = await workloads(context, flags, words);
  for (const target of found) {
    try {
      assertHasRevisions(target, 'history viewer');
      const revisions = await revisionsOf(context, target);
      if (flags.output) {
        const wanted = flags.revision > 0 ? [wantedRevision(revisions, flags.revision)] : revisions;
        for (const { object } of wanted) await write(object, '');
      } else context.print(historyText(target, revisions, flags.revision));
    } catch (error) {
      errors.push(error);
    }
  }
  throwCollected(errors);
}

function wantedRevision(revisions: readonly Revision[], wanted: number): Revision {
  const revision = revisions.find(({ number }) => number === wanted);
  if (!revision) throw new Failure('unable to find the specified revision');
  return revision;
}

function historyText(target: FoundObject, revisions: readonly Revision[], wanted: number): string {
  const head = `${referenceName(target)} ${wanted > 0 ? `with revision #${wanted}` : ''}\n`;
  if (revisions.length === 0) return `${head}No rollout history found.`;
  return (
    head + (wanted > 0 ? templateText(shownTemplate(target, wantedRevision(revisions, wanted))) : table(revisions))
  );
}

function table(revisions: readonly Revision[]): string {
  const rows = revisions.map(({ number, changeCause }) => [String(number), changeCause || '<none>'] as const);
  const width = Math.max('REVISION'.length, ...rows.map(([number]) => number.length)) + 2;
  const lines = [['REVISION', 'CHANGE-CAUSE'] as const, ...rows];
  return `${lines.map(([number, cause]) => number.padEnd(width) + cause).join('\n')}\n`;
}

/** kubectl shows why a Deployment was changed among the annotations of its pods. */
function shownTemplate({ type }: FoundObject, { template, changeCause }: Revision): PodTemplateSpec | undefined {
  if (type.kind !== 'Deployment' || !changeCause) return template;
  const annotations = { ...template?.metadata?.annotations, [ANNOTATION_CHANGE_CAUSE]: changeCause };
  return { ...template, metadata: { ...template?.metadata, annotations } } as PodTemplateSpec;
}

/** `Pod Template:` and what is in it, with tabs. */
export function templateText(template: PodTemplateSpec | undefined): string {
  const lines = new Lines();
  if (template) describePodTemplate(lines, template);
  return lines.rawText();
}
