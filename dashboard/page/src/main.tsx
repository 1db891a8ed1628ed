import { render } from 'preact';
import './styles/tokens.css';
import './styles/base.css';
import './styles/frame.css';
import './styles/components.css';
import './styles/narrow.css';
import { App } from './app';
import { startPreferences } from './preferences';
import { startRouter } from './router';
import { startSession } from './session';

startPreferences();
startRouter();
startSession();
const root = document.getElementById('app');
if (root !== null) {
  render(<App />, root);
}
