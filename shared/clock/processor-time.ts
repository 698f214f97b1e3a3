/**
 * Starts a watch; it tells the milliseconds of processor time that this process has used since. For tests of what may cost
 * little: what other programs of a busy machine take does not count.
 */
export function processorWatch(): () => number {
  const start = process.cpuUsage();
  return () => {
    const { user, system } = process.cpuUsage(start);
    return (user + system) / 1000;
  };
}
