// Writes the files of a folder as a C file with uw_page_built: node embed.mjs FOLDER OUTPUT.c
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const [folder, output] = process.argv.slice(2);

function filesBelow(below) {
  return readdirSync(join(folder, below), { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => (entry.isDirectory() ? filesBelow(`${below}/${entry.name}`) : [`${below}/${entry.name}`]));
}

const names = filesBelow('');
const parts = ['/* Made by dashboard/page/embed.mjs; do not edit. */', '#include "dashboard/page.h"', ''];
names.forEach((name, index) => {
  const bytes = readFileSync(join(folder, name));
  parts.push(`static const unsigned char file_${index}[] = {`);
  for (let at = 0; at < bytes.length; at += 24) {
    parts.push(`    ${[...bytes.subarray(at, at + 24)].join(',')},`);
  }
  // An empty file has a byte, too, which is not counted.
  parts.push('    0};');
});
parts.push('', 'const struct uw_page_built uw_page_built[] = {');
names.forEach((name, index) => {
  parts.push(`    {${JSON.stringify(name)}, file_${index}, sizeof file_${index} - 1},`);
});
parts.push('};', `const uint32_t uw_page_built_count = ${names.length};`, '');
writeFileSync(output, parts.join('\n'));
