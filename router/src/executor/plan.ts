import type { PlanNode } from '@apollo/query-planner';
import type { Cursor, Execution } from './execution.ts';
import { executeFetch } from './fetch.ts';
import { objectsAt } from './response-tree.ts';

/** Executes a plan from the root on; resolves when the execution's tree and errors are complete. */
export function executePlan<Context>(node: PlanNode, execution: Execution<Context>): Promise<void> {
  return executeNode(node, { objects: [execution.root], path: [] }, execution);
}

async function executeNode<Context>(
  node: PlanNode,
  cursor: Cursor,
  execution: Execution<Context>,
): Promise<void> {
  switch (node.kind) {
    case 'Fetch':
      return executeFetch(node, cursor, execution);
    case 'Flatten': {
      const objects = objectsAt(cursor.objects, node.path);
      const deeper = { objects, path: [...cursor.path, ...node.path] };
      return executeNode(node.node, deeper, execution);
    }
    case 'Sequence':
      for (const each of node.nodes) await executeNode(each, cursor, execution);
      return;
    case 'Parallel':
      await Promise.all(node.nodes.map((each) => executeNode(each, cursor, execution)));
      return;
    case 'Condition': {
      const clause = execution.conditions.get(node.condition) ? node.ifClause : node.elseClause;
      if (clause) await executeNode(clause, cursor, execution);
      return;
    }
    case 'Defer':
      throw new Error('@defer is not supported');
  }
}
