/**
 * The rule about log lines: the message is a constant text, everything that varies is a field, and
 * the page about observability lists every message.
 */
import ts from 'typescript';

const LEVELS = new Set(['debug', 'info', 'warn', 'error']);
const LOGGER = /(^|\.)#?(logger|log)$/i;

/** The messages that a page lists: the first cells of its tables, in backticks. */
export function documentedMessages(page: string): ReadonlySet<string> {
  return new Set([...page.matchAll(/^\| `([^`]+)` \|/gm)].map(([, message = '']) => message));
}

/** What is wrong with the log calls of a file: the position, and what to do. */
export function logFaults(
  source: ts.SourceFile,
  documented: ReadonlySet<string>,
): readonly { readonly position: number; readonly fault: string }[] {
  const faults: { position: number; fault: string }[] = [];
  const visit = (node: ts.Node): void => {
    if (isLogCall(node)) {
      const [message] = node.arguments;
      const position = node.getStart();
      if (message === undefined || !ts.isStringLiteralLike(message)) {
        faults.push({
          position,
          fault: 'a log message is a constant text; put what varies into fields',
        });
      } else if (!documented.has(message.text)) {
        const fault = `log message '${message.text}' is not in docs/observability.md`;
        faults.push({ position, fault });
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return faults;
}

function isLogCall(node: ts.Node): node is ts.CallExpression {
  if (!ts.isCallExpression(node) || !ts.isPropertyAccessExpression(node.expression)) return false;
  const { name, expression } = node.expression;
  return LEVELS.has(name.text) && LOGGER.test(expression.getText());
}
