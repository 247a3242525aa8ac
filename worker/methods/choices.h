#ifndef WORKER_METHODS_CHOICES_H
#define WORKER_METHODS_CHOICES_H

/*
 * Names for parameter rows, taken from the registries when the program starts, so that
 * a new data set or attack can be asked for without a change here.
 * NULL-terminated.
 */
enum { CHOICES_MAX = 64 };

extern const char *choices_datasets[CHOICES_MAX];
extern const char *choices_corruptions[CHOICES_MAX];
extern const char *choices_evaluate[CHOICES_MAX]; /* clean, corruptions, attacks */
extern const char *choices_attack[CHOICES_MAX];   /* auto, attacks */
extern const char *choices_budgets[CHOICES_MAX];  /* eta, measured, released lists */

#endif
