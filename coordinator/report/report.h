#ifndef COORDINATOR_REPORT_REPORT_H
#define COORDINATOR_REPORT_REPORT_H

#include "shared/base/buf.h"
#include "shared/base/err.h"
#include "shared/base/json.h"

/*
 * The report: pure over rows, no database, no clock. Same rows in, same bytes out.
 * Rows are one JSON document (made by db_report):
 *
 *   {"name", "title", "file": "<text of the sweep file>", "sets": "",
 *    "report": {"x": "relus", "y": ["CA","NPA","AdvA"], "group_over": "seed",
 *               "reference": []},
 *    "axes": ["relu_budget", "temperature"],
 *    "cells": [{"params": {canonical values of the cell},
 *               "written": {those that the file chose},
 *               "state": "succeeded" | "failed" | "running" | ...,
 *               "jobs": [{"id","digest","stage","state","attempt","seconds","worker",
 *                         "error": {"kind","text"} | null, "provenance": {...}}],
 *               "metrics": {"CA": {"value","unit","goal"}, ...}}],   final metrics of
 *                                                           all jobs of the chain
 *    "verified": [as coordinator/db/verified.h has it],         optional: jobs done twice
 *    "models": [{"cell", "layers": [{"relus","kept"}], "norm": {"name", "paths":
 *                [{"name","mean": [..],"var": [..]}]}}],    both optional: facts about
 *    "overlaps": [{"a","b","iou"}],                         trained networks
 *    "groups": [...]}  optional: settings that somebody has aggregated already, as
 *                      aggregate_cells makes them without members; then what needs single
 *                      cells, such as hypervolumes, is left out
 */

/*
 * Everything that the writers draw from: cells grouped over seeds, aggregated, in facets
 * of one data set and model each, with fronts. The same document is what `report --json`
 * prints. New reference:
 *
 *   {"name","title","x","y":[..],"groups":[{"params","label","n","cells","complete",
 *     "reference": true for the all-ReLU rows, "facet": index,
 *     "metrics": {"CA": {"mean","sd","n","min","max","unit","goal"}},
 *     "saving": total/kept ReLUs, "on_front": {"CA": true, ...}}],
 *    "facets": see facet.h and compare.h, "sheets": see sheet.h, "figures": figure.h,
 *    "fronts": {"CA": [indices of groups by x, of all facets]},
 *    "failures": [{"fingerprint","text","count","stage","jobs":[..],"cells":[..]}],
 *    "counts": {...}, "notes": [..]}
 *
 * rows["report"] may also have "cost", a name of cost.h. ERR_USAGE when that is unknown,
 * ERR_DATA when the rows have no name or cells.
 */
MUST_CHECK int report_build(json_t **out, const json_t *rows, struct err *err);

/* Writes index.html, cells.csv, cells.tex, report.json, every figure as .svg, .png and
 * .pdf, and every other table as .csv and .tex into `dir` (made if needed). */
MUST_CHECK int report_write(const json_t *report, const char *dir, struct err *err);

/* The Pareto table and plot for a terminal of `columns`, appended to `out`. */
void report_text(struct buf *out, const json_t *report, int columns);

#endif
