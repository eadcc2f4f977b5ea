/** The tenant's API keys: make, look at, revoke. */
import { useState } from 'preact/hooks';
import type { KeySummary } from '../../src/api/index.ts';
import { useResource } from '../state/resource.ts';
import { client } from '../state/session.ts';
import { Button } from '../ui/button.tsx';
import { Confirm } from '../ui/dialog.tsx';
import { date } from '../ui/format.ts';
import { Failure, Loading } from '../ui/notice.tsx';
import { announce } from '../ui/toast.tsx';
import { NewKeyDialog } from './new-key-dialog.tsx';

export function KeysPage() {
  const keys = useResource((signal) => client().listKeys({ signal }), []);
  const [making, setMaking] = useState(false);
  const [revoking, setRevoking] = useState<KeySummary>();
  return (
    <>
      <div class="page-head">
        <h1>Keys</h1>
        <Button kind="main" icon="plus" onClick={() => setMaking(true)}>
          New key
        </Button>
      </div>
      {keys.error !== undefined && <Failure error={keys.error} onRetry={keys.reload} />}
      {keys.data === undefined && keys.error === undefined && <Loading what="keys" />}
      {keys.data && <KeyTable keys={keys.data} onRevoke={setRevoking} />}
      {making && (
        <NewKeyDialog
          onClose={() => {
            setMaking(false);
            keys.reload();
          }}
        />
      )}
      {revoking && (
        <Confirm
          title={`Revoke ${revoking.name}?`}
          action="Revoke"
          onClose={() => setRevoking(undefined)}
          onSubmit={async () => {
            await client().revokeKey(revoking.id);
            announce(`${revoking.name} is revoked, everywhere within 60 seconds.`);
            keys.reload();
          }}
        >
          Programs that use this key stop working. This can’t be undone.
        </Confirm>
      )}
    </>
  );
}

interface TableProps {
  readonly keys: readonly KeySummary[];
  readonly onRevoke: (key: KeySummary) => void;
}

function KeyTable({ keys, onRevoke }: TableProps) {
  return (
    <div class="card table-wrap" tabIndex={0} role="region" aria-label="Keys">
      <table class="table">
        <thead>
          <tr>
            <th scope="col">Name</th>
            <th scope="col">Allowed to</th>
            <th scope="col" class="wide-only">
              Made
            </th>
            <th scope="col">
              <span class="out-of-sight">Action</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {keys.map((key) => (
            <tr key={key.id}>
              <td class="break">{key.name}</td>
              <td>
                <span class="row">
                  {key.scopes.map((scope) => (
                    <span class="badge" key={scope}>
                      {scope}
                    </span>
                  ))}
                </span>
              </td>
              <td class="soft wide-only">{date(key.created_at)}</td>
              <td class="end">
                {key.revoked_at === undefined ? (
                  <Button
                    kind="danger"
                    size="small"
                    aria-label={`Revoke ${key.name}`}
                    onClick={() => onRevoke(key)}
                  >
                    Revoke
                  </Button>
                ) : (
                  <span class="badge" data-tone="bad">
                    revoked
                  </span>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
