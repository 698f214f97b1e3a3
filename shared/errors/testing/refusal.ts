import assert from 'node:assert/strict';
import { StatusError } from '../status-error.js';

/** The StatusError that `run` throws; fails when it throws anything else, or nothing. */
export function refusal(run: () => unknown): StatusError {
  try {
    run();
  } catch (error) {
    assert.ok(error instanceof StatusError, String(error));
    return error;
  }
  throw new assert.AssertionError({ message: 'nothing was refused' });
}
