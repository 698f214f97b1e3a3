import assert from 'node:assert/strict';
import { after, before, describe, it, type TestContext } from 'node:test';
import { codecAnswers } from './go-client/codec-answers.js';
import { GoClient, type SuiteOptions } from './go-client/go-client.js';

describe('client-go', () => {
  let client: GoClient;
  before(() => {
    client = GoClient.compile();
  });
  after(() => client.remove());

  /** Each check of a suite is a test of its own. */
  const suite = async (t: TestContext, name: string, options: SuiteOptions): Promise<void> => {
    let count = 0;
    for await (const { check, failure } of client.run(name, options)) {
      count++;
      await t.test(check, () => assert.ok(failure === undefined, failure));
    }
    assert.ok(count > 0, 'the suite has checks');
  };

  it('reads what Knarr writes in protobuf, and writes what Knarr reads', (t) =>
    suite(t, 'codec', {
      answer: codecAnswers(),
      settings: { perKind: 200, milliseconds: 100, seed: Date.now() % 1_000_000 },
    }));
});
