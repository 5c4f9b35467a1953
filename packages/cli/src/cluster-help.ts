/**
 * What `--help` teaches about commands on a running cluster.
 */

/** Texts below the options of each command. */
export const CLUSTER_HELP = Object.freeze({
  up: `
Needs Linux and root; 'skep doctor' says what else. The manager, an agent for each node and what
watches over them are processes of their own. What is left out stays as it was, so 'skep up' after a
crash, or a second time, is all it takes. Without --detach it tells what happens until Ctrl-C, which
stops the cluster and keeps its state.

Images of processes are commands:
  vote:1: node vote.js                       in a file for --images
  db: { command: [postgres, -D, /data], user: postgres, env: [PGPORT=5432] }

Examples:
  skep up -f stack.yml --nodes 2 --detach --watch
  skep up -f stack.yml --runtime docker
  skep up --hosts local --image 'vote:1=node vote.js'
  skep up --cluster second --nodes 3 -d      another one beside the first
`,
  down: `
Tasks, namespaces, containers, cgroups, files: whatever carries the cluster's id is removed, also
after a crash. Nothing else is touched.

Examples:
  skep down
  skep down --cluster second --keep-state
`,
  status: `
Processes, nodes, services, ports on this machine, and what is not as declared. Exit code 0 when all
of it runs as declared, 1 otherwise.

Examples:
  skep status
  skep status --cluster second --json
`,
  apply: `
All of the files, or nothing: what the manager refuses is told with its place in the file. Fields
that the files mention belong to whoever applies them ('user', or 'stack NAME'); what others have
set stays, unless --force. Networks, secrets and configs that are declared external have to exist.

Examples:
  skep apply -f stack.yml --watch
  skep apply -f stack.yml --stack st --prune
  cat web.yml | skep apply -f -

With --watch, exit code 1 says that it is not as declared after --timeout, or never will be.
`,
  scale: `
Examples:
  skep scale web=3
  skep scale web=5 worker=0 --watch
`,
  update: `
Lists (variables, constraints, ports) are read first and then replaced as a whole: of two updates of
one list at the same time the later one counts.

Examples:
  skep update web --image web:2 --watch
  skep update web --env-add LEVEL=debug --env-rm COLOR --update-order start-first
  skep update web --patch '{"task":{"resources":{"limits":{"memoryBytes":67108864}}}}'
  skep update web --hold                     nothing is replaced until 'skep update web --resume'
`,
  rollback: `
Examples:
  skep rollback web --watch
  skep rollback web --to 3                   'skep describe service web' lists generations
`,
  rm: `
Everything together, or nothing; nodes one by one after that.

Examples:
  skep rm web worker
  skep rm network front
  skep rm service/web secret/token --watch
  skep rm --stack st
  skep rm node/node3 --force
`,
  drain: `
Examples:
  skep drain node2
  skep drain node2 --watch                   and wait until no task is left there
`,
  pause: `
Examples:
  skep pause node2
`,
  activate: `
Examples:
  skep activate node2
`,
  label: `
Constraints and preferences see labels of nodes as node.labels.KEY.

Examples:
  skep label node/node2 disk=ssd zone-
`,
  get: `
Kinds go by singular, plural or short name: svc, no, net, ps (tasks), cm (configs), sec, vol, ev,
eps, cluster; 'all' stands for the usual ones. Kinds of your own go by their names.

Outputs: table, wide (more columns), json, yaml, name, and manifest, which 'skep apply' reads again.

Examples:
  skep get services,tasks
  skep get svc web -o yaml
  skep get tasks -l tier=front --field-selector status.state=running
  skep get ps -w                             a line for each that changes
  skep get all -o name
`,
  describe: `
Examples:
  skep describe service web
  skep describe task/web.1                   with the reason why it waits
  skep describe nodes
`,
  logs: `
Lines are parted by standard output and standard error, as they were written. Exit code 1 when a
node did not answer: what is missing is told.

Examples:
  skep logs web
  skep logs web.1 --tail 20 -t
  skep logs web worker -f --since 10m
`,
  events: `
Examples:
  skep events
  skep events service/web -w
  skep events --warnings -o json
`,
  watch: `
Examples:
  skep watch
  skep watch services,nodes
  skep watch tasks -o json                   a commit a line
`,
  explain: `
Every node with what it lacks for the task, or how it ranks. Exit code 1 when no node takes it.

Examples:
  skep explain web.1
`,
  completion: `
Names of objects are asked from the running cluster, for at most half a second.

Examples:
  source <(skep completion bash)             in ~/.bashrc
  skep completion zsh > "\${fpath[1]}/_skep"
  skep completion fish > ~/.config/fish/completions/skep.fish
`,
});
