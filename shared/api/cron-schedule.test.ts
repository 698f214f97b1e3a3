import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CronScheduleError, parseCronSchedule } from './cron-schedule.js';

test('a schedule is read as the sets of its five fields', () => {
  const schedule = parseCronSchedule('*/20 1-3,22 1 JAN-feb mon/2');
  assert.ok(schedule.type === 'fields');
  assert.deepEqual([...schedule.minutes], [0, 20, 40]);
  assert.deepEqual([...schedule.hours], [1, 2, 3, 22]);
  assert.deepEqual([...schedule.daysOfMonth], [1]);
  assert.deepEqual([...schedule.months], [1, 2]);
  assert.deepEqual([...schedule.daysOfWeek], [1, 3, 5]);
  assert.equal(schedule.isAnyDayOfMonth, false);
});

test('descriptors and periods are read', () => {
  const weekly = parseCronSchedule('@weekly');
  assert.ok(weekly.type === 'fields' && weekly.isAnyDayOfMonth && !weekly.isAnyDayOfWeek);
  assert.deepEqual(parseCronSchedule('@every 1h30m'), { type: 'every', periodMs: 5_400_000 });
  assert.deepEqual(parseCronSchedule('@every 10ms'), { type: 'every', periodMs: 1000 });
  const zoned = parseCronSchedule('CRON_TZ=Europe/Berlin 0 6 * * *');
  assert.ok(zoned.type === 'fields' && zoned.timeZone === 'Europe/Berlin');
});

test('what is no schedule is refused in the words of the original', () => {
  const table: Record<string, string> = {
    '': 'empty spec string',
    '* * * *': 'expected exactly 5 fields, found 4: [* * * *]',
    '60 * * * *': 'end of range (60) above maximum (59): 60',
    '* * 0 * *': 'beginning of range (0) below minimum (1): 0',
    '5-2 * * * *': 'beginning of range (5) beyond end of range (2): 5-2',
    '1-2-3 * * * *': 'too many hyphens: 1-2-3',
    '1/2/3 * * * *': 'too many slashes: 1/2/3',
    '*/0 * * * *': 'step of range should be a positive number: */0',
    'x * * * *': 'failed to parse int from x: strconv.Atoi: parsing "x": invalid syntax',
    '@never': 'unrecognized descriptor: @never',
    '@every day': 'failed to parse duration @every day: time: invalid duration "day"',
    'TZ=Nowhere/None * * * * *': 'provided bad location Nowhere/None: unknown time zone Nowhere/None',
  };
  for (const [text, message] of Object.entries(table))
    assert.throws(() => parseCronSchedule(text), new CronScheduleError(message), text);
});
