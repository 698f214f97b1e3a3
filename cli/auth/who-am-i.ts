import type { CommandContext } from '../context.js';
import { objectWriter, type PrintFlags } from '../print-flags.js';
import { alignColumns } from '../printer/text-table.js';

export type WhoAmIFlags = PrintFlags;

export interface UserInfo {
  readonly username?: string;
  readonly uid?: string;
  readonly groups?: readonly string[];
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

export async function runWhoAmI(context: CommandContext, flags: WhoAmIFlags): Promise<void> {
  const write = objectWriter(context, flags);
  const api = await context.api();
  const review = await api.json({
    method: 'POST',
    path: '/apis/authentication.k8s.io/v1/selfsubjectreviews',
    body: { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' },
  });
  const { userInfo } = review['status'] as { userInfo: UserInfo };
  await write(review, alignColumns(userRows(userInfo)).join('\n'));
}

/** Rows of `auth whoami`. */
function userRows({ username, uid, groups, extra = {} }: UserInfo): string[][] {
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
