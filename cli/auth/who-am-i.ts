import type { CommandContext } from '../context.js';
import { isTemplate, objectPrinter } from '../printer/object-printer.js';
import { alignColumns } from '../printer/text-table.js';

export interface WhoAmIFlags {
  output?: string;
}

export interface UserInfo {
  readonly username?: string;
  readonly uid?: string;
  readonly groups?: readonly string[];
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

export async function runWhoAmI(context: CommandContext, flags: WhoAmIFlags): Promise<void> {
  const printer = objectPrinter(flags.output);
  const api = await context.api();
  const review = await api.json({
    method: 'POST',
    path: '/apis/authentication.k8s.io/v1/selfsubjectreviews',
    body: { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' },
  });
  if (!printer) {
    const { userInfo } = review['status'] as { userInfo: UserInfo };
    return context.print(alignColumns(userRows(userInfo)).join('\n'));
  }
  const text = await printer(review, false);
  context.terminal.stdout.write(isTemplate(flags.output) ? text : `${text}\n`);
}

/** Rows of `auth whoami`. */
export function userRows({ username, uid, groups, extra = {} }: UserInfo): string[][] {
  const list = (texts: readonly string[]): string => `[${texts.join(' ')}]`;
  return [
    ['ATTRIBUTE', 'VALUE'],
    ...(username ? [['Username', username]] : []),
    ...(uid ? [['UID', uid]] : []),
    ...(groups?.length ? [['Groups', list(groups)]] : []),
    ...Object.entries(extra)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, values]) => [`Extra: ${key}`, list(values)]),
  ];
}
