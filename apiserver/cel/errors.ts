/** One thing wrong with an expression, at an offset of its text. */
export interface Issue {
  readonly offset: number;
  readonly message: string;
}

/** An expression cannot be used; the message has the form of the original's compiler. */
export class CelCompileError extends Error {
  override readonly name = 'CelCompileError';

  constructor(source: string, issues: readonly Issue[]) {
    super(issues.map((issue) => describeIssue(source, issue)).join('\n'));
  }
}

/** An expression is good but cannot be made ready to run. */
export class CelProgramError extends CelCompileError {
  constructor(reason: string) {
    super('', []);
    this.message = `program instantiation failed: ${reason}`;
  }
}

/** An expression has no value: a missing key, an overflow, a division by zero. `&&` and `||` may absorb it. */
export class CelError extends Error {
  override readonly name: string = 'CelError';
}

/** The budget of an evaluation is used up; nothing absorbs it. */
export class CelBudgetError extends CelError {
  override readonly name = 'CelBudgetError';

  constructor() {
    super('operation cancelled: actual cost limit exceeded');
  }
}

const maxShownLine = 1_000;

/** `ERROR: <input>:1:5: TEXT`, the line, and a caret below the place. */
function describeIssue(source: string, { offset, message }: Issue): string {
  const before = source.slice(0, offset);
  const lineStart = before.lastIndexOf('\n') + 1;
  const line = before.split('\n').length;
  const lineEnd = source.indexOf('\n', offset);
  const text = source.slice(lineStart, lineEnd < 0 ? undefined : lineEnd);
  const column = Array.from(source.slice(lineStart, offset)).length;
  const head = `ERROR: <input>:${line}:${column + 1}: ${message}`;
  if (text.length > maxShownLine) return head;
  return `${head}\n | ${text}\n | ${'.'.repeat(column)}^`;
}
