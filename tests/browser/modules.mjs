/* The packages of package-lock.json, which are installed outside the checkout's sources (UW_MODULES/node_modules). */
import { createRequire } from 'node:module';

export const modules = createRequire(`${process.env.UW_MODULES}/package.json`);
