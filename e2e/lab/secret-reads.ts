// Reads Secrets one after another, whatever happens to the API server: node secret-reads.js COUNT VALUE
// Secret `s-N` must hold VALUE followed by N. SIGTERM ends it; what it saw is then printed as JSON.
import { secrets } from '../../shared/api/generated/resources.js';
import { StatusError } from '../../shared/errors/status-error.js';
import { askUntilEnded } from './endless-requests.js';

/** What the reader printed at its end. */
export interface ReadReport {
  readonly answered: number;
  /** Answers that were not the Secret, the first of them in words. */
  readonly wrong: number;
  readonly firstWrong?: string;
  /** Attempts without an answer: the server was away. */
  readonly unanswered: number;
  /** The longest time without an answer. */
  readonly longestGapMs: number;
}

const [count = '1', value = ''] = process.argv.slice(2);
let answered = 0;
let unanswered = 0;
let longestGapMs = 0;
const wrong: string[] = [];
let answeredMs = performance.now();

await askUntilEnded(
  { pauseMs: 5, requestTimeoutMs: 2_000 },
  async (client, index, signal) => {
    const number = index % Number(count);
    try {
      const { data } = await client.get(secrets, `s-${number}`, 'default', { signal });
      const found = Buffer.from(data?.['value'] ?? '', 'base64').toString();
      if (found !== `${value}${number}`) wrong.push(`s-${number} has another value`);
      answered++;
      longestGapMs = Math.max(longestGapMs, performance.now() - answeredMs);
      answeredMs = performance.now();
    } catch (error) {
      // A server that starts says so; any other answer is a failure.
      if (error instanceof StatusError && error.code !== 429 && error.code !== 503) wrong.push(error.message);
      else unanswered++;
    }
  },
  (): ReadReport => ({
    answered,
    wrong: wrong.length,
    ...(wrong[0] === undefined ? {} : { firstWrong: wrong[0] }),
    unanswered,
    longestGapMs: Math.round(longestGapMs),
  }),
);
