import type { MessageTable } from '../messages.js';

const scalar = /^(?:string|bool|bytes|double|int32|int64)$/;

/** How a message is called in the file, which has no packages. */
const protoName = (message: string): string => message.replace(/[.-]/g, '_');

/**
 * A .proto file of all messages, for programs that know Protocol Buffers and nothing of ours. Fields are called by their
 * numbers: some JSON names are none in that language. `Batch` holds any number of each of `roots`, in their order from 1 on.
 */
export function protoFile(table: MessageTable, roots: readonly string[]): string {
  const typeOf = (type: string): string => (scalar.test(type) ? type : type in table ? protoName(type) : 'bytes');
  const declared = (type: string): string => {
    const [, item] = /^repeated (.*)$/.exec(type) ?? [];
    if (item !== undefined) return `repeated ${typeOf(item)}`;
    const [, value] = /^map<string,(.*)>$/.exec(type) ?? [];
    return value === undefined ? `optional ${typeOf(type)}` : `map<string, ${typeOf(value)}>`;
  };
  const messages = Object.entries(table).map(([name, fields]) => {
    const lines = Object.values(fields).map(([number, type]) => `  ${declared(type)} f${number} = ${number};\n`);
    return `message ${protoName(name)} {\n${lines.join('')}}\n`;
  });
  const batch = roots.map((root, index) => `  repeated ${protoName(root)} f${index + 1} = ${index + 1};\n`);
  return `syntax = "proto2";\n${messages.join('')}message Batch {\n${batch.join('')}}\n`;
}
