/* a folder without sources yet */
typedef int relusweep_empty;
