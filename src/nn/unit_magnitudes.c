/** Finding the matrices of units, and adding them up; see nn/shared/unit_magnitudes.h.
 *
 *  A run of stride 1 is a row of a matrix; its sum goes to one unit. Runs of one longer stride that
 *  begin at neighbouring places, for neighbouring units, are the columns of a matrix; its sums go
 *  to these. Where rows of one side are the rows of the columns of the other, they are one
 *  matrix. */
#include "nn/shared/unit_magnitudes.h"

#include "engram/memory.h"
#include "engram/units.h"
#include "math/shared/absolute.h"

#include <string.h>

/* Sums are numbered like units: those of `in` first, then those of `out`. */
#define NOBODY SIZE_MAX

struct eg_unit_matrix {
    size_t first, rows, columns, pitch;
    size_t
        column_sum;  /* the sum of column 0, neighbours follow; NOBODY: columns are not added up */
    size_t *row_sum; /* [rows] the sum of each row, or NOBODY; NULL: rows are not added up; owned */
    size_t row_capacity;
    eg_column_magnitudes *kept; /* of the columns; or NULL */
};

/* A run, and where its sum goes. */
typedef struct line {
    size_t sum, first, count, stride;
} line;

/* Runs of unit 0 of a layer. */
static size_t count_runs(const eg_net *net, size_t hidden, eg_unit_side side)
{
    eg_plane_run run;
    size_t k = 0;
    while (eg_net_unit_run(net, hidden, side, 0, k, &run)) {
        k++;
    }
    return k;
}

/* Whose runs are like each other: all units of a layer, at all places of one part. */
typedef struct like_runs {
    size_t hidden;
    eg_unit_side side;
    size_t places, first, stride; /* the run of place p is number first + p*stride */
    size_t sum;                   /* where those of unit 0 go; place by place, unit by unit */
} like_runs;

static eg_status each_unit(eg_unit_magnitudes *m, const like_runs *of,
                           eg_status (*take)(eg_unit_magnitudes *, line))
{
    for (size_t s = 0; s < m->net->hidden[of->hidden].units * of->places; s++) {
        size_t k = of->first + s % of->places * of->stride;
        eg_plane_run run;
        if (eg_net_unit_run(m->net, of->hidden, of->side, s / of->places, k, &run) &&
            run.role == EG_ROLE_WEIGHT) {
            EG_TRY(take(m, (line){of->sum + s, run.first, run.count, run.stride}));
        }
    }
    return eg_ok();
}

static eg_status each_incoming(eg_unit_magnitudes *m, size_t hidden, size_t sum,
                               eg_status (*take)(eg_unit_magnitudes *, line))
{
    size_t runs = count_runs(m->net, hidden, EG_UNIT_INCOMING);
    for (size_t k = 0; k < runs; k++) {
        const like_runs of = {
            .hidden = hidden, .side = EG_UNIT_INCOMING, .places = 1, .first = k, .sum = sum};
        EG_TRY(each_unit(m, &of, take));
    }
    return eg_ok();
}

/* Runs come part by part, of each place by place. */
static eg_status each_outgoing(eg_unit_magnitudes *m, size_t hidden, size_t sum,
                               eg_status (*take)(eg_unit_magnitudes *, line))
{
    const eg_hidden_layer *layer = &m->net->hidden[hidden];
    size_t of_part = count_runs(m->net, hidden, EG_UNIT_OUTGOING) / layer->parts;
    size_t of_place = of_part / layer->spread;
    for (size_t part = 0; part < layer->parts; part++) {
        for (size_t k = 0; k < of_place; k++) {
            const like_runs of = {.hidden = hidden,
                                  .side = EG_UNIT_OUTGOING,
                                  .places = layer->spread,
                                  .first = part * of_part + k,
                                  .stride = of_place,
                                  .sum = sum};
            EG_TRY(each_unit(m, &of, take));
        }
    }
    return eg_ok();
}

/* Calls `take` for the runs of every layer, so that like runs of neighbours come one after the
 * other. */
static eg_status each_line(eg_unit_magnitudes *m, eg_status (*take)(eg_unit_magnitudes *, line))
{
    size_t first = 0;
    for (size_t h = 0; m->takes_in && h < m->net->hidden_count; h++) {
        EG_TRY(each_incoming(m, h, first, take));
        first += m->net->hidden[h].units;
    }
    for (size_t h = 0; m->takes_out && h < m->net->hidden_count; h++) {
        EG_TRY(each_outgoing(m, h, m->units + m->first_out[h], take));
    }
    return eg_ok();
}

static eg_status add_matrix(eg_unit_magnitudes *m, const eg_unit_matrix *matrix)
{
    EG_TRY(eg_grow(&m->matrix, &m->capacity, m->count + 1, sizeof *m->matrix));
    m->matrix[m->count++] = *matrix;
    return eg_ok();
}

static bool is_row(line l)
{
    return l.stride == 1 || l.count == 1;
}

static eg_status count_line(eg_unit_magnitudes *m, line l)
{
    m->inverse[l.sum] += (eg_real)l.count;
    m->read += (double)l.count;
    return eg_ok();
}

/* Joins the matrix of the neighbour before, or begins one. */
static eg_status take_column(eg_unit_magnitudes *m, line l)
{
    eg_unit_matrix *last = m->count > 0 ? &m->matrix[m->count - 1] : NULL;
    if (is_row(l)) {
        return eg_ok();
    }
    if (last != NULL && last->rows == l.count && last->pitch == l.stride &&
        last->first + last->columns == l.first && last->column_sum + last->columns == l.sum &&
        last->columns < last->pitch) {
        last->columns++;
        return eg_ok();
    }
    const eg_unit_matrix matrix = {
        .first = l.first, .rows = l.count, .columns = 1, .pitch = l.stride, .column_sum = l.sum};
    return add_matrix(m, &matrix);
}

/* The row of the matrix that this is; NOBODY: none. */
static size_t row_of(const eg_unit_matrix *matrix, line l)
{
    if (l.first < matrix->first || l.count != matrix->columns) {
        return NOBODY;
    }
    size_t ahead = l.first - matrix->first;
    size_t row = ahead / matrix->pitch;
    return ahead % matrix->pitch == 0 && row < matrix->rows ? row : NOBODY;
}

static eg_status reserve_rows(eg_unit_matrix *matrix, size_t rows)
{
    size_t before = matrix->row_capacity;
    EG_TRY(eg_grow(&matrix->row_sum, &matrix->row_capacity, rows, sizeof *matrix->row_sum));
    for (size_t r = before; r < matrix->row_capacity; r++) {
        matrix->row_sum[r] = NOBODY;
    }
    return eg_ok();
}

/* Joins a matrix of columns, or the matrix of the rows before, or begins one. */
static eg_status take_row(eg_unit_magnitudes *m, line l)
{
    if (!is_row(l)) {
        return eg_ok();
    }
    for (size_t i = 0; i < m->count; i++) {
        eg_unit_matrix *matrix = &m->matrix[i];
        size_t row = matrix->column_sum != NOBODY ? row_of(matrix, l) : NOBODY;
        if (row != NOBODY && (matrix->row_sum == NULL || matrix->row_sum[row] == NOBODY)) {
            EG_TRY(reserve_rows(matrix, matrix->rows));
            matrix->row_sum[row] = l.sum;
            return eg_ok();
        }
    }
    eg_unit_matrix *last = m->count > 0 ? &m->matrix[m->count - 1] : NULL;
    bool joins = last != NULL && last->column_sum == NOBODY && last->columns == l.count;
    bool second = joins && last->rows == 1 && l.first >= last->first + last->columns;
    if (second || (joins && last->first + last->rows * last->pitch == l.first)) {
        last->pitch = second ? l.first - last->first : last->pitch;
    } else {
        const eg_unit_matrix matrix = {
            .first = l.first, .columns = l.count, .pitch = l.count, .column_sum = NOBODY};
        EG_TRY(add_matrix(m, &matrix));
        last = &m->matrix[m->count - 1];
    }
    EG_TRY(reserve_rows(last, last->rows + 1));
    last->row_sum[last->rows++] = l.sum;
    return eg_ok();
}

static size_t sums_of(const eg_unit_magnitudes *m)
{
    return m->units + m->outs;
}

eg_status eg_unit_magnitudes_init(eg_unit_magnitudes *magnitudes, const eg_net *net, bool in,
                                  bool out)
{
    eg_unit_magnitudes *m = magnitudes;
    size_t rows = 0;
    *m = (eg_unit_magnitudes){.net = net, .takes_in = in, .takes_out = out};
    EG_TRY(eg_alloc(&m->first_out, net->hidden_count, sizeof *m->first_out));
    for (size_t h = 0; h < net->hidden_count; h++) {
        m->first_out[h] = m->outs;
        m->units += net->hidden[h].units;
        m->outs += net->hidden[h].units * net->hidden[h].spread;
    }
    EG_TRY(eg_alloc(&m->in, sums_of(m), sizeof *m->in));
    m->out = m->in + m->units;
    EG_TRY(eg_alloc(&m->inverse, sums_of(m), sizeof *m->inverse));
    EG_TRY(each_line(m, count_line));
    for (size_t s = 0; s < sums_of(m); s++) {
        m->inverse[s] = m->inverse[s] > 0 ? 1 / m->inverse[s] : 0;
    }
    EG_TRY(each_line(m, take_column));
    EG_TRY(each_line(m, take_row));
    for (size_t i = 0; i < m->count; i++) {
        rows = m->matrix[i].rows > rows ? m->matrix[i].rows : rows;
    }
    return eg_alloc(&m->row, rows, sizeof *m->row);
}

void eg_unit_magnitudes_clear(eg_unit_magnitudes *magnitudes)
{
    for (size_t i = 0; i < magnitudes->count; i++) {
        eg_free(magnitudes->matrix[i].row_sum);
    }
    eg_free(magnitudes->matrix);
    eg_free(magnitudes->in);
    eg_free(magnitudes->first_out);
    eg_free(magnitudes->inverse);
    eg_free(magnitudes->row);
    for (size_t k = 0; k < magnitudes->kept_count; k++) {
        eg_free(magnitudes->kept[k].sum);
    }
    eg_free(magnitudes->kept);
    eg_free(magnitudes->column);
}

/* Whether it is a whole block, and its columns alone are added up. */
static bool can_be_kept(const eg_net *net, const eg_unit_matrix *matrix)
{
    size_t count = matrix->rows * matrix->pitch;
    bool is_block = false;
    for (size_t b = 0; b < net->table.block_count; b++) {
        const eg_parameter_block *block = &net->table.blocks[b];
        is_block = is_block || (block->offset == matrix->first && block->count == count);
    }
    return is_block && count >= EG_UNIT_MAGNITUDES_LARGE && matrix->row_sum == NULL;
}

eg_status eg_unit_magnitudes_keep(eg_unit_magnitudes *magnitudes)
{
    eg_unit_magnitudes *m = magnitudes;
    size_t widest = 0;
    EG_TRY(eg_alloc(&m->kept, m->count, sizeof *m->kept));
    for (size_t i = 0; i < m->count; i++) {
        eg_unit_matrix *matrix = &m->matrix[i];
        if (!can_be_kept(m->net, matrix)) {
            continue;
        }
        eg_column_magnitudes *kept = &m->kept[m->kept_count];
        *kept = (eg_column_magnitudes){
            .first = matrix->first, .rows = matrix->rows, .width = matrix->pitch, .lost = true};
        EG_TRY(eg_alloc(&kept->sum, kept->width, sizeof *kept->sum));
        widest = kept->width > widest ? kept->width : widest;
        matrix->kept = kept;
        m->kept_count++;
    }
    return eg_alloc(&m->column, widest, sizeof *m->column);
}

static void add_up(const eg_unit_magnitudes *m, eg_column_magnitudes *kept)
{
    memset(m->column, 0, kept->width * sizeof *m->column);
    eg_absolute_sums(kept->rows, kept->width, kept->width, m->net->params + kept->first, NULL,
                     m->column);
    for (size_t c = 0; c < kept->width; c++) {
        kept->sum[c] = (double)m->column[c];
    }
    kept->lost = false;
}

/* Sums of columns from those that are kept. */
static void take_kept(const eg_unit_magnitudes *m, const eg_unit_matrix *matrix)
{
    eg_real *sum = m->in + matrix->column_sum;
    if (matrix->kept->lost) {
        add_up(m, matrix->kept);
    }
    for (size_t c = 0; c < matrix->columns; c++) {
        sum[c] += (eg_real)matrix->kept->sum[c];
    }
}

/* Whether sums are what the updates have left, unless they are lost. */
static bool is_followed(const eg_unit_magnitudes *m)
{
    return m->touches == m->net->touches && m->takes < EG_UNIT_MAGNITUDES_RENEWAL;
}

static void begin_take(eg_unit_magnitudes *m)
{
    if (!is_followed(m)) {
        for (size_t k = 0; k < m->kept_count; k++) {
            m->kept[k].lost = true;
        }
        m->touches = m->net->touches;
        m->takes = 0;
    }
    m->takes++;
}

void eg_unit_magnitudes_take(eg_unit_magnitudes *magnitudes)
{
    eg_unit_magnitudes *m = magnitudes;
    eg_real *sum = m->in; /* and out behind it */
    memset(sum, 0, sums_of(m) * sizeof *sum);
    begin_take(m);
    for (size_t i = 0; i < m->count; i++) {
        const eg_unit_matrix *matrix = &m->matrix[i];
        if (matrix->kept != NULL) {
            take_kept(m, matrix);
            continue;
        }
        bool rows = matrix->row_sum != NULL;
        eg_absolute_sums(matrix->rows, matrix->columns, matrix->pitch,
                         m->net->params + matrix->first, rows ? m->row : NULL,
                         matrix->column_sum != NOBODY ? sum + matrix->column_sum : NULL);
        for (size_t r = 0; rows && r < matrix->rows; r++) {
            if (matrix->row_sum[r] != NOBODY) {
                sum[matrix->row_sum[r]] += m->row[r];
            }
        }
    }
    for (size_t s = 0; s < sums_of(m); s++) {
        sum[s] *= m->inverse[s];
    }
}

void eg_unit_magnitudes_write(const eg_unit_magnitudes *magnitudes, eg_writer *writer)
{
    const eg_unit_magnitudes *m = magnitudes;
    bool followed = is_followed(m);
    if (m->kept_count > 0) {
        eg_write_u32(writer, followed ? m->takes : 0);
    }
    for (size_t k = 0; k < m->kept_count; k++) {
        const eg_column_magnitudes *kept = &m->kept[k];
        bool there = followed && !kept->lost;
        eg_write_u32(writer, there ? 1 : 0);
        for (size_t c = 0; there && c < kept->width; c++) {
            eg_write_f64(writer, kept->sum[c]);
        }
    }
}

eg_status eg_unit_magnitudes_read(eg_unit_magnitudes *magnitudes, eg_reader *reader)
{
    eg_unit_magnitudes *m = magnitudes;
    m->touches = m->net->touches;
    m->takes = m->kept_count > 0 ? eg_read_u32(reader) : 0;
    bool valid = m->takes <= EG_UNIT_MAGNITUDES_RENEWAL;
    for (size_t k = 0; valid && k < m->kept_count; k++) {
        eg_column_magnitudes *kept = &m->kept[k];
        uint32_t there = eg_read_u32(reader);
        valid = there <= 1;
        kept->lost = there == 0;
        for (size_t c = 0; there == 1 && c < kept->width; c++) {
            kept->sum[c] = eg_read_f64(reader);
        }
    }
    return valid ? eg_reader_status(reader, false)
                 : eg_fail(EG_INVALID, "saved sums of weights: they are not of this version");
}
