import { defineConfig } from 'vite';

export default defineConfig({
  // The page may stand below a path of a proxy: nothing in it is absolute.
  base: './',
  esbuild: { jsx: 'automatic', jsxImportSource: 'preact' },
  build: {
    target: 'es2021',
    // The Content-Security-Policy allows scripts and styles of the server only.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // The server keeps files for ever whose names end in a dash and eight letters and digits.
    rollupOptions: { output: { hashCharacters: 'base36' } },
  },
  server: {
    proxy: { '/api': 'http://127.0.0.1:8480' },
  },
});
