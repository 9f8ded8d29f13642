import type { CampaignBook } from './campaign-book.js';
import type { CampaignFile, CampaignKey } from './campaign-file.js';
import { raiseEvidence } from './call-group.js';
import { WAYS_OF_CALLING } from './campaign-policy.js';
import type { CampaignPolicy } from './campaign-policy.js';
import { numberKey } from './call-note.js';
import type { RecordDetection } from './record-detection.js';
import type { ReportDetection } from './report-detection.js';

/** Everything that detection stands on. */
export interface EngineParts {
  readonly policy: CampaignPolicy;
  readonly book: CampaignBook;
  readonly records: RecordDetection;
  readonly reports: ReportDetection;
}

/** What a key leads to in the table of contents. */
export function contentsOf({ reports }: EngineParts, key: CampaignKey, id: string): readonly string[] {
  switch (key.kind) {
    case 'script': {
      const placed = reports.scripts.add(id, key.transcript, key.language);
      return placed.kind === 'none' ? [] : [`script:${placed.scriptId}`];
    }
    case 'recording':
      return [`recording:${key.recording}`];
    case 'call-back-number':
      return [`call-back:${key.tn}`];
    case 'group':
    case 'calling-number':
      return [];
    default:
      return key satisfies never;
  }
}

/** Has the calls of a group or number counted for a campaign from now on. Never throws. */
export function holdKey({ records }: EngineParts, file: CampaignFile, key: CampaignKey): void {
  if (key.kind === 'calling-number') records.numberOwners.set(numberKey(key.tn), file.campaignId);
  if (key.kind !== 'group') return;
  const way = WAYS_OF_CALLING.findIndex((name) => name === key.way);
  if (way < 0) return;
  const group = records.groups.at(key.group);
  group.owners[way] = file.campaignId;
  // It called when it was stored: it does not have to show anew that it is one.
  if (file.standing.state === 'live') raiseEvidence(group, way, records.policy.alarmAt);
}
