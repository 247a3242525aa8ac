/* sensitivity.c - how much each activation matters; see sensitivity.h. */
#include "worker/models/sensitivity.h"

#include <assert.h>

enum { N_RESNET18 = 17, N_RESNET34 = 33, N_WRN = 19 };

/* From the 100k list. */
static const double resnet18[N_RESNET18] = {
    0.0572, 0.1854, 0.2129, 0.2506, 0.2758, 0.3549, 0.4884, 0.5102, 0.5568,
    0.6739, 0.8143, 0.8277, 0.8623, 0.9410, 0.9902, 0.9986, 1.0,
};

/* From the 80k list. */
static const double resnet34[N_RESNET34] = {
    0.049, 0.121, 0.124, 0.146, 0.168, 0.183, 0.212, 0.359, 0.125, 0.378, 0.418,
    0.441, 0.486, 0.502, 0.547, 0.751, 0.351, 0.770, 0.815, 0.832, 0.874, 0.882,
    0.914, 0.914, 0.939, 0.939, 0.959, 0.996, 0.729, 1,     1,     1,     1,
};

/* From the 240k list. */
static const double wrn[N_WRN] = {
    0.035, 0.140, 0.323, 0.393, 0.435, 0.484, 0.526, 0.561, 0.702, 0.772,
    0.842, 0.860, 0.891, 0.898, 0.968, 0.995, 0.993, 1.0,   1.0,
};

/* eta[l] = curve at relative depth l / (n-1); the curve itself when n == n_points. */
static void
read_curve(double *eta, int n, const double *curve, int n_points)
{
    assert(n >= 2);
    for (int l = 0; l < n; l++) {
        const int scaled = l * (n_points - 1), left = scaled / (n - 1);
        const double rest = (double)(scaled % (n - 1)) / (n - 1);
        const int right = left + 1 < n_points ? left + 1 : left;
        eta[l] = (1 - rest) * curve[left] + rest * curve[right];
    }
}

void
sensitivity_resnet(double *eta, int n)
{
    if (n == N_RESNET34)
        read_curve(eta, n, resnet34, N_RESNET34);
    else
        read_curve(eta, n, resnet18, N_RESNET18);
}

void
sensitivity_wrn(double *eta, int n)
{
    read_curve(eta, n, wrn, N_WRN);
}

void
sensitivity_resnet18_snl(double *eta, int n)
{
    read_curve(eta, n, resnet18 + 1, N_RESNET18 - 1);
}

void
sensitivity_wrn_snl(double *eta, int n)
{
    read_curve(eta, n, wrn, N_WRN - 1);
}
