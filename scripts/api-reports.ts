/**
 * Writes the public surface of each entry point to `etc/*.api.md`. With `--check`, fails when a
 * report differs from what is committed: a change of the surface is then a decision, not an
 * accident.
 * Needs a build.
 */
import { existsSync, mkdirSync, writeFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Extractor, ExtractorConfig } from '@microsoft/api-extractor';
import { ROOT, workspacePackages } from './packages.js';

const isCheck = process.argv.includes('--check');
const temp = join(ROOT, 'temp/api');
rmSync(temp, { recursive: true, force: true });
mkdirSync(temp, { recursive: true });
let differing = 0;

for (const { name, folder, entries } of workspacePackages()) {
  for (const entry of entries) {
    const types = join(folder, 'dist', `${entry}.d.ts`);
    if (!existsSync(types)) throw new Error(`${types} is missing: run npm run build`);
    const report = `${name.replace('@skep/', '')}${entry === 'index' ? '' : `-${entry}`}`;
    const tsconfig = join(temp, `${report}.tsconfig.json`);
    writeFileSync(
      tsconfig,
      JSON.stringify({
        extends: join(ROOT, 'tsconfig.base.json'),
        compilerOptions: {
          customConditions: [],
          composite: false,
          typeRoots: [join(ROOT, 'node_modules/@types')],
        },
        files: [types],
      }),
    );
    mkdirSync(join(folder, 'etc'), { recursive: true });
    const config = ExtractorConfig.prepare({
      configObject: {
        projectFolder: folder,
        mainEntryPointFilePath: types,
        compiler: { tsconfigFilePath: tsconfig },
        apiReport: {
          enabled: true,
          reportFileName: `${report}.api.md`,
          reportFolder: join(folder, 'etc'),
          reportTempFolder: temp,
        },
        docModel: { enabled: false },
        dtsRollup: { enabled: false },
        tsdocMetadata: { enabled: false },
        newlineKind: 'lf',
        messages: {
          compilerMessageReporting: { default: { logLevel: 'warning' as never } },
          extractorMessageReporting: { default: { logLevel: 'none' as never } },
          tsdocMessageReporting: { default: { logLevel: 'none' as never } },
        },
      },
      configObjectFullPath: undefined,
      packageJsonFullPath: join(folder, 'package.json'),
    });
    const result = Extractor.invoke(config, {
      localBuild: !isCheck,
      messageCallback: (message) => {
        message.handled = message.logLevel !== 'error';
      },
    });
    if (result.apiReportChanged && isCheck) {
      differing += 1;
      console.log(`etc/${report}.api.md of ${name} differs: run npm run api and commit it`);
    }
  }
}
console.log(differing === 0 ? 'api reports: as committed' : `api reports: ${differing} differ`);
process.exitCode = differing === 0 ? 0 : 1;
