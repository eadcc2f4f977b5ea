/** What a tap reads of each channel: its mean over space, or its standard deviation there (√variance, no ε). */
export const STATISTICS = ['mean', 'deviation'] as const;
export type Statistic = (typeof STATISTICS)[number];
