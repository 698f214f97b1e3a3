/**
 * Replaces `$(NAME)` by the variable's value; `$$` is a literal dollar sign, an unknown name stays as it is written
 * (Kubernetes' rule for env, command, args and subPathExpr).
 */
export function expand(input: string, variables: ReadonlyMap<string, string>): string {
  return expandWith(input, (name) => variables.get(name) ?? `$(${name})`);
}

/** As {@link expand}, but an unknown name is an error: a path must not contain the raw expression. */
export function expandStrictly(input: string, variables: ReadonlyMap<string, string>): string {
  return expandWith(input, (name) => {
    const value = variables.get(name);
    if (value === undefined) throw new Error(`missing value for "${name}"`);
    return value;
  });
}

function expandWith(input: string, valueOf: (name: string) => string): string {
  let output = '';
  for (let at = 0; at < input.length; at++) {
    const next = input[at + 1];
    if (input[at] !== '$' || next === undefined) {
      output += input[at];
    } else if (next === '$') {
      output += '$';
      at++;
    } else if (next === '(') {
      const end = input.indexOf(')', at + 2);
      if (end < 0) {
        output += '$(';
        at++;
      } else {
        output += valueOf(input.slice(at + 2, end));
        at = end;
      }
    } else {
      output += `$${next}`;
      at++;
    }
  }
  return output;
}
