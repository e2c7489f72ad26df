import type { SyntaxNode } from '@lezer/common';
import { parser } from '@prometheus-io/lezer-promql';

/** What a PromQL expression reads. */
export interface Expression {
  /** Each series that it selects: the name of the metric, and the labels that it compares. */
  selectors: { metric: string; labels: string[] }[];
  /** The labels by which it groups and joins. */
  grouping: string[];
}

/** Reads an expression; throws when it is not PromQL. */
export function parseExpression(text: string): Expression {
  const found: Expression = { selectors: [], grouping: [] };
  const textOf = ({ from, to }: { from: number; to: number }) => text.slice(from, to);
  parser.parse(text).iterate({
    enter(reference) {
      if (reference.type.isError) {
        throw new Error(`no PromQL at character ${reference.from}: ${text}`);
      }
      const { node } = reference;
      if (reference.name === 'VectorSelector') {
        found.selectors.push({
          metric: textOf(node.getChild('Identifier') ?? { from: 0, to: 0 }),
          labels: labelsOf(node.getChild('LabelMatchers')).map(textOf),
        });
      }
      if (reference.name === 'GroupingLabels') found.grouping.push(...labelsOf(node).map(textOf));
    },
  });
  return found;
}

/** The names of labels below a node. */
function labelsOf(node: SyntaxNode | null): { from: number; to: number }[] {
  const names: { from: number; to: number }[] = [];
  node?.cursor().iterate(({ name, from, to }) => {
    if (name === 'LabelName') names.push({ from, to });
  });
  return names;
}
