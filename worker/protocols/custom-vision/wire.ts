/** Records and metrics in the form of Custom Vision. */
import type { ClassSummary, VersionSummary } from '../../../src/api/index.ts';
import type { z } from 'zod';
import { imageId, iterationId } from './ids.ts';
import type { Project, Published, Tag } from './records.ts';

/** Custom Vision's own id of its General domain: the only one here, whatever a project names. */
export const GENERAL_DOMAIN = {
  id: 'ee85a74c-405e-4adc-bb47-ffa8ca0c9f31',
  name: 'General',
  type: 'Classification',
  exportable: false,
  enabled: true,
  exportablePlatforms: [],
};

export function projectOf({ id, name, description, domainId, created, modified }: Project): object {
  return {
    id,
    name,
    description,
    settings: { domainId, classificationType: 'Multiclass', targetExportPlatforms: [], useNegativeSet: true },
    created,
    lastModified: modified,
    drModeEnabled: false,
    status: 'Succeeded',
  };
}

export function tagOf({ id, name, description, type }: Tag, imageCount: number): object {
  return { id, name, description, type, imageCount };
}

export function iterationOf(
  project: Project,
  { version, created_at: at }: Pick<VersionSummary, 'version' | 'created_at'>,
  name: string | undefined,
  published: Published | undefined,
): object {
  return {
    id: iterationId(project.id, version),
    name: name ?? `Iteration ${version}`,
    status: 'Completed',
    created: at,
    lastModified: at,
    trainedAt: at,
    projectId: project.id,
    exportable: false,
    exportableTo: [],
    domainId: project.domainId,
    classificationType: 'Multiclass',
    trainingType: 'Regular',
    reservedBudgetInHours: 0,
    trainingTimeInMinutes: 0,
    publishName: published?.name,
    originalPublishResourceId: published?.resource,
  };
}

export interface Example {
  readonly picture: string;
  readonly label: string;
  readonly created_at: string;
}

export function imageOf({ picture, label, created_at: created }: Example, tags: readonly Tag[]): object {
  const tag = tags.find((each) => each.label === label);
  return {
    id: imageId(picture),
    created,
    tags: tag === undefined ? [] : [{ tagId: tag.id, tagName: tag.name, created }],
    regions: [],
  };
}

/** Over examples held out; a deviation is a quarter of the 95 % interval. */
export function performanceOf(
  accuracy: number,
  interval: readonly number[],
  classes: readonly z.infer<typeof ClassSummary>[],
  tags: readonly Tag[],
): object {
  const deviation = (interval[1] - interval[0]) / 4;
  return {
    perTagPerformance: classes.map(({ label, precision, recall }) => {
      const tag = tags.find((each) => each.label === label);
      return {
        id: tag?.id,
        name: tag?.name ?? label,
        precision: precision ?? 0,
        precisionStdDeviation: 0,
        recall: recall ?? 0,
        recallStdDeviation: 0,
      };
    }),
    // Each picture gets one label: over all of them, precision and recall are the accuracy.
    precision: accuracy,
    precisionStdDeviation: deviation,
    recall: accuracy,
    recallStdDeviation: deviation,
  };
}

export function predictionsOf(
  predictions: readonly { readonly label: string; readonly score: number }[],
  tags: readonly Tag[],
): object[] {
  return predictions.map(({ label, score }) => {
    const tag = tags.find((each) => each.label === label);
    return {
      probability: score,
      tagId: tag?.id,
      tagName: tag?.name ?? label,
      tagType: tag?.type ?? 'Regular',
    };
  });
}
