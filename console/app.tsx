/** The frame of the page: who is signed in, where they are, and the page that belongs there. */
import { useEffect, useRef } from 'preact/hooks';
import { link, place } from './state/router.ts';
import { session, signOut } from './state/session.ts';
import { HeadPage } from './pages/head/head-page.tsx';
import { HeadsPage } from './pages/heads-page.tsx';
import { KeysPage } from './pages/keys-page.tsx';
import { SignInPage } from './pages/sign-in-page.tsx';
import { UsagePage } from './pages/usage-page.tsx';
import { Button } from './ui/button.tsx';
import { Toasts } from './ui/toast.tsx';

export function App() {
  return (
    <>
      {session.value === undefined ? <SignInPage /> : <SignedIn />}
      <Toasts />
    </>
  );
}

function SignedIn() {
  const main = useRef<HTMLElement>(null);
  const [room = 'heads', name] = place.value;
  usePageFocus(main, `${room}/${name ?? ''}`);
  return (
    <div class="shell">
      <a
        class="skip"
        href="#main"
        onClick={(event) => {
          // The hash is the router's.
          event.preventDefault();
          main.current?.focus();
        }}
      >
        Skip to the content
      </a>
      <header class="topbar">
        <div class="topbar-inner">
          <a class="brand" href={link('heads')} aria-label="Headwater, all heads">
            <img src="./icon.svg" alt="" width="28" height="28" />
            <span>Headwater</span>
          </a>
          <nav class="nav" aria-label="Main">
            {['Heads', 'Keys', 'Usage'].map((text) => (
              <a
                key={text}
                href={link(text.toLowerCase())}
                aria-current={text.toLowerCase() === room ? 'page' : undefined}
              >
                {text}
              </a>
            ))}
          </nav>
          <Button kind="plain" size="small" icon="out" aria-label="Sign out" onClick={signOut}>
            <span class="wide-only">Sign out</span>
          </Button>
        </div>
      </header>
      <main class="page" id="main" tabIndex={-1} ref={main}>
        <Page room={room} name={name} />
      </main>
    </div>
  );
}

function Page({ room, name }: { readonly room: string; readonly name: string | undefined }) {
  if (room === 'keys') return <KeysPage />;
  if (room === 'usage') return <UsagePage />;
  return name === undefined ? <HeadsPage /> : <HeadPage key={name} name={name} />;
}

/** A new page begins at its top, for eyes and for screen readers alike. */
function usePageFocus(main: { readonly current: HTMLElement | null }, page: string): void {
  const shown = useRef(page);
  useEffect(() => {
    if (shown.current === page) return;
    shown.current = page;
    main.current?.focus({ preventScroll: true });
    scrollTo(0, 0);
  }, [page]);
}
