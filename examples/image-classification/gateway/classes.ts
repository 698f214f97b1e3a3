/** The ten classes of the clothing models, the course's and ours, in the order of their outputs. */
export const CLOTHING_CLASSES: readonly string[] = [
  'dress', 'hat', 'longsleeve', 'outwear', 'pants', 'shirt', 'shoes', 'shorts', 'skirt', 't-shirt',
]; // prettier-ignore

/** The scores by class; a score beyond the known classes is named by its position. */
export function byClass(scores: readonly number[], classes: readonly string[]): Record<string, number> {
  return Object.fromEntries(scores.map((score, index) => [classes[index] ?? `class-${index}`, score]));
}

const PROBABILITY_TOLERANCE = 1e-3;

/** Scores as probabilities: kept when they already are (none negative, sum one), else taken for logits (softmax). */
export function probabilities(scores: readonly number[]): number[] {
  const sum = scores.reduce((total, score) => total + score, 0);
  const areProbabilities = Math.abs(sum - 1) < PROBABILITY_TOLERANCE && scores.every((score) => score >= 0);
  if (areProbabilities) return [...scores];
  const largest = Math.max(...scores);
  const exponentials = scores.map((score) => Math.exp(score - largest));
  const total = exponentials.reduce((left, right) => left + right, 0);
  return exponentials.map((exponential) => exponential / total);
}
